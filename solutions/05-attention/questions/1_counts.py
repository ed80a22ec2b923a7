"""What attention moves, and what a cache holds."""

from coursekit.grading import case, question


@question(
    id="attention-bound",
    title="What limits attention",
    asks="attention_bound",
    points=1,
    section="sec-attention-memory",
)
class AttentionBound:
    def reference(queries, keys, d, passes, peak, bandwidth):
        operations = 4 * queries * keys * d
        moved = 2 * ((2 * queries + 2 * keys) * d + passes * queries * keys)
        intensity = operations / moved
        return intensity, min(peak, intensity * bandwidth)

    def cases(rng):
        d = int(rng.integers(48, 80))
        peak, bandwidth = float(rng.integers(200, 400)), float(rng.uniform(1.0, 2.0))
        yield case("the table crosses four times", 2048, 2048, d, 4, peak, bandwidth)
        yield case("the table stays on the chip", 4096, 4096, d, 0, peak, bandwidth)
        yield case("one query, a long past", 1, int(rng.integers(900, 999)), d, 0, peak, bandwidth)
        n = int(rng.integers(300, 600))
        yield case("fewer queries than keys", n, 3 * n, d, 2, peak, bandwidth, shown=False)

    def by_parts(queries, keys, d, passes, peak, bandwidth):
        products = [2 * queries * keys * d, 2 * queries * keys * d]
        tensors = [queries * d, keys * d, keys * d, queries * d, passes * queries * keys]
        ratio = sum(products) / sum(2 * size for size in tensors)
        return ratio, peak if ratio > peak / bandwidth else ratio * bandwidth

    def by_times(queries, keys, d, passes, peak, bandwidth):
        work = 4.0 * queries * keys * d
        traffic = 4.0 * (queries + keys) * d + 2.0 * passes * queries * keys
        seconds = max(work / peak, traffic / bandwidth)
        return work / traffic, work / seconds

    def bound(*, work=4, size=2, tensors=lambda n, m: 2 * n + 2 * m, table=None, take=min):
        def answer(queries, keys, d, passes, peak, bandwidth):
            crossings = passes if table is None else table
            moved = tensors(queries, keys) * d + crossings * queries * keys
            intensity = work * queries * keys * d / (size * moved)
            return intensity, take(peak, intensity * bandwidth)

        return answer

    one_product = bound(work=2)
    elements = bound(size=1)
    one_tensor = bound(tensors=lambda n, m: 2 * n + m)
    no_output = bound(tensors=lambda n, m: n + 2 * m)
    fused_always = bound(table=0)
    best_of_both = bound(take=max)
    del bound

    variants = [by_parts, by_times]
    mistakes = {
        "There are two products, each with a multiplication and an addition: 4 N M D.": one_product,
        "You divided by elements; a number in 16 bits takes 2 bytes.": elements,
        "Keys and values are two tensors, each with a row for every key.": one_tensor,
        "The output is written too, and it is as large as the queries.": no_output,
        "You left the table out; it crosses `passes` times.": fused_always,
        "The slower of the two decides: take the smaller bound.": best_of_both,
    }
    explain = r"""
    Two products of $2NMD$ operations each make $4NMD$. Queries and output have $ND$ numbers each,
    keys and values $MD$, and the table $NM$ for each time that it crosses; every number is 2 bytes.
    The ratio is the intensity $I$, and the bound is the smaller of the peak and $I$ times the
    bandwidth. With one query, 1000 keys and no table $I=4000D/(4004D)$, about 1: decoding reads.
    """


@question(
    id="tokens-that-fit",
    title="How long a conversation fits",
    asks="tokens_that_fit",
    points=1,
    section="sec-attention-decode",
)
class TokensThatFit:
    def reference(memory, layers, kv_heads, d, itemsize, page):
        return memory // (2 * layers * kv_heads * d * itemsize * page) * page

    def cases(rng):
        for name, kv_heads, itemsize, shown in (
            ("shared heads, 16 bits", 8, 2, True),
            ("a head of keys for every query head, 8 bits", 32, 1, True),
            ("another model", 5, 4, False),
        ):
            memory = int(rng.integers(3, 9)) * 10**9 + int(rng.integers(10**6))
            layers, page = int(rng.integers(20, 40)), int(rng.integers(20, 90))
            yield case(name, memory, layers, kv_heads, 128, itemsize, page, shown=shown)
        yield case("not even one page", int(rng.integers(10, 99)), 2, 2, 8, 2, 16)

    def page_by_page(memory, layers, kv_heads, d, itemsize, page):
        a_token = sum(kv_heads * d * itemsize for _ in ("keys", "values")) * layers
        a_page = a_token * page
        return page * int(memory // a_page)

    def whole_tokens_first(memory, layers, kv_heads, d, itemsize, page):
        tokens = memory // (2 * layers * kv_heads * d * itemsize)
        return tokens - tokens % page

    variants = [page_by_page, whole_tokens_first]
    mistakes = {
        "Both keys and values are kept: two tensors a layer.": (
            lambda memory, layers, g, d, b, page: memory // (layers * g * d * b * page) * page
        ),
        "Every layer keeps a cache of its own.": (
            lambda memory, layers, g, d, b, page: memory // (2 * g * d * b * page) * page
        ),
        "Every head of keys has its own rows in the cache.": (
            lambda memory, layers, g, d, b, page: memory // (2 * layers * d * b * page) * page
        ),
        "You counted numbers; each takes `itemsize` bytes.": (
            lambda memory, layers, g, d, b, page: memory // (2 * layers * g * d * page) * page
        ),
        "A page is handed out whole: round down to whole pages.": (
            lambda memory, layers, g, d, b, page: memory // (2 * layers * g * d * b)
        ),
        "These are pages; tokens are asked for.": (
            lambda memory, layers, g, d, b, page: memory // (2 * layers * g * d * b * page)
        ),
        "Half a page does not exist: round down, not up.": (
            lambda memory, layers, g, d, b, page: (
                -(-memory // (2 * layers * g * d * b * page)) * page
            )
        ),
    }
    explain = r"""
    A token takes $2\cdot\text{layers}\cdot H_{kv}\cdot D\cdot b$ bytes: keys and values, in every
    layer, for every head of keys. A page takes `page` times as much. Whole pages that fit, times
    the tokens of a page, is the answer. For 32 layers, 8 heads of width 128 and 2 bytes a token is
    131,072 bytes, and 16 of them, one page, 2 MiB: a gibibyte holds 512 pages, 8192 tokens.
    """
