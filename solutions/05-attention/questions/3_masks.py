"""Which keys a row sees, and which tiles a program visits."""

import math

import numpy as np

from coursekit.grading import case, question


@question(
    id="key-interval",
    title="The keys that a row sees",
    asks="key_interval",
    points=2,
    section="sec-attention-options",
)
class KeyInterval:
    def reference(n, m, window):
        place = np.arange(n) + m - n
        hi = np.clip(place + 1, 0, m)
        lo = np.clip(place + 1 - window, 0, m)
        return lo, hi

    def cases(rng):
        n = int(rng.integers(5, 8))
        yield case("as many queries as keys", n, n, int(rng.integers(2, 4)))
        yield case("new tokens behind a cache", 3, int(rng.integers(9, 14)), 4)
        yield case("more queries than keys", n + 2, int(rng.integers(2, 4)), 2)
        yield case("a window of one", n, n + 2, 1)
        yield case("a long one", int(rng.integers(30, 50)), 60, 17, shown=False)

    def row_by_row(n, m, window):
        pairs = []
        for i in range(n):
            seen = [j for j in range(m) if i + m - n - window < j <= i + m - n]
            pairs.append((seen[0], seen[-1] + 1) if seen else (0, 0))
        lo, hi = zip(*pairs, strict=True)
        return np.array(lo), np.array(hi)

    def with_maximum(n, m, window):
        hi = np.maximum(np.arange(m - n, m) + 1, 0)
        return np.maximum(hi - window, 0), hi

    def interval(*, shift=lambda n, m: m - n, end=1, begin=1, low=True, high=True):
        def answer(n, m, window):
            place = np.arange(n) + shift(n, m)
            lo, hi = place + begin - window, np.minimum(place + end, m)
            return (np.maximum(lo, 0) if low else lo), (np.maximum(hi, 0) if high else hi)

        return answer

    top_left = interval(shift=lambda n, m: 0)
    last_key = interval(end=0)
    one_more = interval(begin=0)
    begins_below = interval(low=False)
    ends_below = interval(high=False)
    del interval

    def no_window(n, m, window):
        hi = np.clip(np.arange(n) + m - n + 1, 0, m)
        return np.zeros_like(hi), hi

    variants = [row_by_row, with_maximum]
    mistakes = {
        "This aligns the first query with the first key; the last query stands at the last key.": (
            top_left
        ),
        "A token sees itself, and `hi` is one past the last key that is seen.": last_key,
        "The window holds one key too many: the token itself is one of its keys.": one_more,
        "There are no keys before 0: raise lo to 0.": begins_below,
        "A row before the first key sees nothing, and its interval is from 0 to 0.": ends_below,
        "You left out the window: a row sees only its last keys.": no_window,
    }
    explain = r"""
    Query $i$ stands at place $p=i+M-N$ among the keys, so that the last query is at the last key.
    It sees keys up to its own place: `hi` $=p+1$. A window of $w$ keys that ends there begins at
    $p+1-w$. Both are raised to 0 where they fall below. For 2 queries, 3 keys and a window of 2
    the places are 1 and 2: the intervals are 0 to 2 and 1 to 3.
    """


@question(
    id="tile-loop",
    title="Where the loop over tiles ends",
    asks="tile_loop",
    points=2,
    section="sec-attention-tiles",
)
class TileLoop:
    def reference(tile, n, m, block_m, block_n):
        first = tile * block_m + m - n
        last = min((tile + 1) * block_m, n) - 1 + m - n
        free = max(0, min(first + 1, m)) // block_n
        visited = math.ceil(max(0, last + 1) / block_n)
        return free, visited

    def cases(rng):
        n = 8 * int(rng.integers(5, 9))
        yield case("a square table", 2, n, n, 8, 4)
        yield case("wide tiles of keys", 1, n, n, 8, 16)
        yield case("three keys more than queries", 1, n, n + 3, 8, 4)
        yield case("sizes that are no multiples", 3, 27, 27, 8, 8)
        yield case("the last tile, fewer queries than keys", 1, 11, 38 + int(rng.integers(4)), 8, 4)
        yield case("queries before the first key", 0, 40, 24, 8, 4)
        yield case("some queries before the first key", 1, 20, int(rng.integers(7, 9)), 8, 4)
        yield case("another", 4, 41, 50 + int(rng.integers(20)), 8, 5, shown=False)
        yield case("one more", 0, 9, 70 + int(rng.integers(9)), 16, 8, shown=False)

    def by_looking(tile, n, m, block_m, block_n):
        rows = np.arange(tile * block_m, min((tile + 1) * block_m, n))
        seen = np.arange(m) <= rows[:, None] + m - n
        tiles = [seen[:, j : j + block_n] for j in range(0, m, block_n)]
        whole = [t.all() and t.shape[1] == block_n for t in tiles]
        return sum(whole), sum(t.any() for t in tiles)

    def counting_up(tile, n, m, block_m, block_n):
        top, bottom = tile * block_m, min(tile * block_m + block_m, n) - 1
        free = visited = 0
        while (free + 1) * block_n - 1 <= top + m - n:
            free += 1
        while visited * block_n <= bottom + m - n:
            visited += 1
        return free, visited

    def loop(
        *,
        shift=lambda n, m: m - n,
        reach=1,
        free=math.floor,
        visited=math.ceil,
        low=0,
        by_last=False,
    ):
        def answer(tile, n, m, block_m, block_n):
            first = tile * block_m + shift(n, m)
            last = min((tile + 1) * block_m, n) - 1 + shift(n, m)
            whole = max(low, (last if by_last else first) + reach) / block_n
            return free(whole), visited(max(low, last + reach) / block_n)

        return answer

    top_left = loop(shift=lambda n, m: 0)
    not_itself = loop(reach=0)
    free_up = loop(free=math.ceil)
    visited_down = loop(visited=math.floor)
    below_zero = loop(low=-math.inf)
    of_the_last = loop(by_last=True)
    del loop

    def all_tiles(tile, n, m, block_m, block_n):
        free = max(0, tile * block_m + m - n + 1) // block_n
        return free, math.ceil(m / block_n)

    variants = [by_looking, counting_up]
    mistakes = {
        "This aligns the mask to the top left; the last query stands at the last key.": top_left,
        "A query sees the key at its own place too: one more key than its place says.": not_itself,
        "A tile that the first row sees only in part needs the mask: round down for free ones.": (
            free_up
        ),
        "A tile that the last row sees only in part is visited: round up for the end.": (
            visited_down
        ),
        "Queries before the first key see no key: no count of tiles is below 0.": below_zero,
        "A free tile is seen whole by all rows, so the first row of the tile decides.": of_the_last,
        "Tiles beyond the last row's place are skipped; you visit all of them.": all_tiles,
    }
    explain = r"""
    The first row of the tile stands at place $f=iB_M+M-N$, the last that exists at place
    $l=\min((i+1)B_M,N)-1+M-N$. The first row sees $f+1$ keys; the whole tiles among them are free,
    $\lfloor(f+1)/B_N\rfloor$. The last row sees $l+1$ keys, and every tile that holds one of them
    is visited, $\lceil(l+1)/B_N\rceil$. Both counts are 0 where the places are negative. For
    $N=M=8$, tiles of 4 and $i=1$: $f=4$, $l=7$, so 1 is free and 2 are visited.
    """
