"""Pictures and words in one space, and pictures cut into tokens."""

import math

import numpy as np

from coursekit.grading import case, question


def unit(x):
    """Rows of length 1."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@question(
    id="contrastive-loss",
    title="The right word among the others, and the right image",
    asks="contrastive_loss",
    points=2,
    section="sec-landscape-clip",
)
class ContrastiveLoss:
    def reference(images, words, scale):
        u = images / np.linalg.norm(images, axis=1, keepdims=True)
        v = words / np.linalg.norm(words, axis=1, keepdims=True)
        s = scale * u @ v.T
        rows = np.logaddexp.reduce(s, axis=1) - np.diag(s)
        columns = np.logaddexp.reduce(s, axis=0) - np.diag(s)
        return (rows.mean() + columns.mean()) / 2

    def cases(rng):
        yield case("four pairs", rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 2.0)
        same = rng.normal(size=(5, 6))
        yield case("words near their images", same, same + 0.3 * rng.normal(size=(5, 6)), 10.0)
        yield case("a large scale", rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), 2000.0)
        yield case("more", rng.normal(size=(7, 4)), rng.normal(size=(7, 4)), 5.0, shown=False)

    def with_loops(images, words, scale):
        m, total = len(images), 0.0
        cosine = np.array([[a @ b / math.sqrt((a @ a) * (b @ b)) for b in words] for a in images])
        for i in range(m):
            for line in (scale * cosine[i], scale * cosine[:, i]):
                top = line.max()
                total += math.log(sum(math.exp(v - top) for v in line)) + top - line[i]
        return total / (2 * m)

    def with_softmax(images, words, scale):
        def log_softmax(z, axis):
            z = z - z.max(axis=axis, keepdims=True)
            return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))

        s = scale * unit(images) @ unit(words).T
        return -np.diag(log_softmax(s, 0) + log_softmax(s, 1)).mean() / 2

    def loss(*, normal=True, sides=("rows", "columns"), scaled=True, add=False, best=False):
        def contrastive_loss(images, words, scale):
            a, b = (unit(images), unit(words)) if normal else (images, words)
            s = (scale if scaled else 1 / scale) * a @ b.T
            right = s.max(axis=1) if best else np.diag(s)
            parts = []
            if "rows" in sides:
                parts.append((np.logaddexp.reduce(s, axis=1) - right).mean())
            if "columns" in sides:
                parts.append((np.logaddexp.reduce(s, axis=0) - right).mean())
            return sum(parts) if add else sum(parts) / len(parts)

        return contrastive_loss

    not_unit = loss(normal=False)
    rows_only = loss(sides=("rows",))
    columns_only = loss(sides=("columns",))
    added = loss(add=True)
    turned = loss(scaled=False)
    largest = loss(best=True)
    del loss

    variants = [with_loops, with_softmax]
    mistakes = {
        "Divide every vector by its length first.": not_unit,
        "That asks each image for its word; ask each word for its image too.": rows_only,
        "That asks each word for its image; ask each image for its word too.": columns_only,
        "Take the mean of the two directions, not their sum.": added,
        "Multiply the similarities by the scale; you divided.": turned,
        "The right word of image i is word i, not the one with the largest score.": largest,
    }
    explain = r"""
    Make all vectors unit vectors; $S = \text{scale}\; U V^\top$ has the pair on its diagonal. The
    loss of row $i$ is $\log\sum_j e^{S_{ij}} - S_{ii}$, a cross-entropy with class $i$; that of
    column $i$ sums down instead. Average over both. With two pairs, perfect and orthogonal, and a
    scale of 1, every row gives $\log(e + 1) - 1 = 0.313$. A large scale overflows in exp: subtract
    the largest score of the row, or use logaddexp.
    """


@question(
    id="zero-shot",
    title="Classes that are only words",
    asks="zero_shot",
    points=2,
    section="sec-landscape-zero-shot",
)
class ZeroShot:
    def reference(images, names):
        classes = []
        for words in names:
            middle = (words / np.linalg.norm(words, axis=1, keepdims=True)).mean(axis=0)
            classes.append(middle / np.linalg.norm(middle))
        return (images @ np.array(classes).T).argmax(axis=1)

    def cases(rng):
        def several(counts, width):
            return [rng.normal(size=(n, width)) * rng.uniform(0.2, 5, (n, 1)) for n in counts]

        yield case("one word a class", rng.normal(size=(30, 3)), several([1, 1, 1], 3))
        yield case("several words", rng.normal(size=(60, 4)), several([1, 4, 2, 5], 4))
        yield case("more", rng.normal(size=(80, 5)), several([6, 1, 3, 2, 4], 5), shown=False)

    def one_by_one(images, names):
        found = []
        for image in images:
            scores = []
            for words in names:
                total = sum(w / math.sqrt(w @ w) for w in words)
                scores.append(image @ total / math.sqrt(total @ total))
            found.append(int(np.argmax(scores)))
        return np.array(found)

    def by_angle(images, names):
        middles = np.stack([unit(words).sum(axis=0) for words in names])
        return np.arccos(np.clip(unit(images) @ unit(middles).T, -1, 1)).argmin(axis=1)

    def choose(*, words=unit, middle=unit, pick=np.argmax):
        def zero_shot(images, names):
            classes = middle(np.stack([words(w).mean(axis=0) for w in names]))
            return pick(images @ classes.T, axis=1)

        return zero_shot

    long_words = choose(words=lambda w: w)
    long_middle = choose(middle=lambda c: c)
    no_unit = choose(words=lambda w: w, middle=lambda c: c)
    farthest = choose(pick=np.argmin)
    first_word = choose(words=lambda w: unit(w[:1]))
    del choose

    variants = [one_by_one, by_angle]
    mistakes = {
        "A longer word vector must not count more: make words unit vectors first.": long_words,
        "The mean of unit vectors is shorter than 1: bring it to length 1 again.": long_middle,
        "Angles decide, not lengths: normalise words, and the mean of a class.": no_unit,
        "You took the least similar class.": farthest,
        "A class may have several words; you used the first.": first_word,
    }
    explain = r"""
    Give every word length 1, average the words of a class, and give the mean length 1 again: that
    is the class's vector. The class of an image is the one with the largest inner product; the
    image's own length changes nothing, since it multiplies all scores alike. Words (3, 0) and
    (0, 1) have the class vector (0.71, 0.71), as have (1, 0) and (0, 1).
    """


@question(
    id="patches",
    title="An image as a sequence",
    asks="patches",
    points=1,
    section="sec-landscape-fusion",
)
class Patches:
    def reference(image, size):
        h, w = image.shape
        return (
            image.reshape(h // size, size, w // size, size)
            .transpose(0, 2, 1, 3)
            .reshape(-1, size * size)
        )

    def cases(rng):
        yield case("four patches of four", np.arange(16.0).reshape(4, 4), 2)
        yield case("wide", rng.normal(size=(4, 6)).round(2), 2)
        yield case("one patch", rng.normal(size=(3, 3)).round(2), 3)
        yield case("tall", rng.normal(size=(9, 6)).round(2), 3, shown=False)

    def with_loops(image, size):
        rows, columns = image.shape
        found = []
        for top in range(0, rows, size):
            for left in range(0, columns, size):
                found.append([image[top + a, left + b] for a in range(size) for b in range(size)])
        return np.array(found)

    def with_split(image, size):
        bands = np.split(image, image.shape[0] // size)
        return np.array(
            [p.ravel() for band in bands for p in np.split(band, image.shape[1] // size, axis=1)]
        )

    def cut(*, order=(0, 2, 1, 3), flip=False):
        def patches(image, size):
            h, w = image.shape
            blocks = image.reshape(h // size, size, w // size, size).transpose(*order)
            return blocks.reshape(-1, size * size)

        return patches

    in_lines = cut(order=(0, 1, 2, 3))
    by_columns = cut(order=(2, 0, 1, 3))
    turned = cut(order=(0, 2, 3, 1))
    del cut

    def overlapping(image, size):
        h, w = image.shape
        return np.array(
            [
                image[i : i + size, j : j + size].ravel()
                for i in range(h - size + 1)
                for j in range(w - size + 1)
            ]
        )

    variants = [with_loops, with_split]
    mistakes = {
        "Rows of the image ran together: swap the two middle axes before flattening.": in_lines,
        "Go from left to right first, then down: you went down first.": by_columns,
        "Inside a patch, read rows from left to right; yours is transposed.": turned,
        "Patches do not overlap: step by the patch's side.": overlapping,
    }
    explain = r"""
    Split both axes in two: `reshape(h/P, P, w/P, P)`. The axes are now: row of patches, row inside,
    column of patches, column inside. Swap the two in the middle, and flatten. For a 4 by 4 image of
    0 to 15 and P = 2 the first patch is 0, 1, 4, 5.
    """
