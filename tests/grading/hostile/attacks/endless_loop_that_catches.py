# kind: endless loops that swallow interrupts
# tries: ignores every signal and catches every exception, for ever
# holds: the deadline ends the process from outside
# earns: counts
# line: (?i)time|never end
# sample

# %%
import signal

for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def mean_square(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


def counts(words):
    return {word: words.count(word) for word in words}
