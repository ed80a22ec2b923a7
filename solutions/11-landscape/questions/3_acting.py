"""An agent's loop, and a calculator that runs nobody's code."""

import ast
import operator
import re

from coursekit.grading import case, question


@question(
    id="safe-calculator",
    title="A calculator that runs nobody's code",
    asks="calculate",
    points=2,
    section="sec-landscape-agent",
)
class SafeCalculator:
    def driver(answer, texts):
        found = []
        for text in texts:
            try:
                value = answer(text)
            except ValueError:
                found.append("refused")
            except Exception as error:
                found.append(type(error).__name__)
            else:
                if value is None:
                    return None  # not started
                fine = isinstance(value, int | float) and not isinstance(value, bool)
                found.append(float(value) if fine else f"gave a {type(value).__name__}")
        return found

    def reference(text):
        signs = {
            ast.Add: operator.add,
            ast.Sub: operator.sub,
            ast.Mult: operator.mul,
            ast.Div: operator.truediv,
        }

        def value(node):
            if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                return node.value
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                return -value(node.operand)
            if isinstance(node, ast.BinOp) and type(node.op) in signs:
                return signs[type(node.op)](value(node.left), value(node.right))
            raise ValueError("only numbers, + - * / and brackets")

        try:
            return value(ast.parse(text.strip(), mode="eval").body)
        except (SyntaxError, ZeroDivisionError) as error:
            raise ValueError(str(error)) from error

    def cases(rng):
        a, b, c = (int(v) for v in rng.integers(2, 50, 3))
        yield case("sums", [f"{a} + {b} * {c}", f"({a} - {b}) / {c}", "-3 * -2.5", " 7 "])
        yield case("what is no sum", [f"{a} +", "open('x')", "'a' * 3", "[1, 2]", "2 < 3", "True"])
        yield case("no answer", ["1 / 0", f"{a} / ({b} - {b})"])
        yield case("too much", ["9 ** 9", "__import__('os')", "x + 1", "(1).real", "max(2, 3)"])
        yield case(
            "more", [f"-({a} + {b}) / 4", "3 if 1 else 2", "8 - 3 - 2", "6 / 3 / 2"], shown=False
        )

    def by_hand(text):
        tokens = re.findall(r"\d+\.?\d*|\.\d+|[-+*/()]", text)
        if "".join(tokens) != re.sub(r"\s", "", text) or not tokens or "**" in text:
            raise ValueError("only numbers, + - * / and brackets")
        tokens.append("end")
        place = [0]

        def take():
            place[0] += 1
            return tokens[place[0] - 1]

        def factor():
            token = take()
            if token == "-":
                return -factor()
            if token == "(":
                inside = total()
                if take() != ")":
                    raise ValueError("a bracket is open")
                return inside
            return float(token)

        def product():
            result = factor()
            while tokens[place[0]] in "*/":
                if take() == "*":
                    result *= factor()
                else:
                    divisor = factor()
                    if divisor == 0:
                        raise ValueError("division by zero")
                    result /= divisor
            return result

        def total():
            result = product()
            while tokens[place[0]] in "+-":
                result = result + product() if take() == "+" else result - product()
            return result

        result = total()
        if tokens[place[0]] != "end":
            raise ValueError("words after the sum")
        return result

    def checked_first(text):
        fine = (ast.Expression, ast.Constant, ast.UnaryOp, ast.USub, ast.BinOp)
        signs = (ast.Add, ast.Sub, ast.Mult, ast.Div)
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise ValueError("not a sum") from error
        for node in ast.walk(tree):
            number = not isinstance(node, ast.Constant) or type(node.value) in (int, float)
            if not isinstance(node, fine + signs) or not number:
                raise ValueError("only numbers, + - * / and brackets")
        try:
            return eval(compile(tree, "sum", "eval"), {"__builtins__": {}})
        except ZeroDivisionError as error:
            raise ValueError("division by zero") from error

    def plain_eval(text):
        try:
            return eval(text.strip())
        except (SyntaxError, NameError) as error:
            raise ValueError("not a sum") from error

    def no_builtins(text):
        try:
            return eval(text.strip(), {"__builtins__": {}})
        except Exception as error:
            raise ValueError("not a sum") from error

    def letters_forbidden(text):
        if re.search(r"[a-zA-Z_\[\]]", text):
            raise ValueError("letters")
        try:
            return eval(text.strip())
        except (SyntaxError, ZeroDivisionError) as error:
            raise ValueError("not a sum") from error

    def crashes(text):
        tree = ast.parse(text.strip(), mode="eval")
        signs = (ast.Add, ast.Sub, ast.Mult, ast.Div)
        for node in ast.walk(tree):
            fine = isinstance(
                node, (ast.Expression, ast.Constant, ast.UnaryOp, ast.USub, ast.BinOp, *signs)
            )
            if not fine:
                raise ValueError("only numbers, + - * / and brackets")
            if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
                raise ValueError("only numbers")
        return eval(compile(tree, "sum", "eval"))

    def no_minus(text):
        if not re.fullmatch(r"[\d\s.+*/()-]+", text) or "**" in text or text.lstrip()[0] == "-":
            raise ValueError("not a sum")
        try:
            return eval(text.strip())
        except (SyntaxError, ZeroDivisionError) as error:
            raise ValueError("not a sum") from error

    variants = [by_hand, checked_first]
    mistakes = {
        "With eval the text runs as Python, whatever it says.": plain_eval,
        "Even without builtins eval computes strings, powers and comparisons.": no_builtins,
        "Forbidding letters is not enough: ** and < have none.": letters_forbidden,
        "Bad syntax and division by zero must become a ValueError too.": crashes,
        "A sum may begin with a minus sign.": no_minus,
    }
    explain = r"""
    Let `ast.parse(text, mode="eval")` build the tree and run nothing. Walk over it: a number is
    its value, a minus sign its negative, one of four operations of two values is computed, and
    every other kind of node is refused. What is allowed is a list; what is forbidden would never
    end. `2 + 3 * 4` is BinOp(2, Add, BinOp(3, Mult, 4)), so 14. True is a Constant too: test
    `type(value) in (int, float)`.
    """


@question(
    id="agent-loop",
    title="The loop of an agent",
    asks="run_agent",
    points=2,
    section="sec-landscape-agent",
)
class AgentLoop:
    def driver(answer, script, most):
        def planner(history):
            tool, argument = script[min(len(history), len(script) - 1)]
            return tool, argument.replace("LAST", history[-1][2] if history else "nothing")

        def double(text):
            if not text.isdigit():
                raise ValueError("not a number")
            return str(2 * int(text))

        tools = {"double": double, "turn": lambda text: text[::-1]}
        returned = answer(planner, tools, most)
        if returned is None:
            return None  # not started
        said, history = returned
        return ["nothing" if said is None else said, [list(step) for step in history]]

    def reference(planner, tools, most):
        history = []
        for _ in range(most):
            tool, argument = planner(history)
            if tool == "answer":
                return argument, history
            try:
                observation = tools[tool](argument)
            except KeyError:
                observation = "no such tool"
            except ValueError as error:
                observation = f"error: {error}"
            history.append((tool, argument, observation))
        return None, history

    def cases(rng):
        n = str(int(rng.integers(100, 900)))
        double = ("double", "LAST")
        yield case("one call", [("double", n), ("answer", "it is LAST")], 5)
        yield case(
            "calls in a row", [("double", n), ("turn", "LAST"), double, ("answer", "LAST")], 9
        )
        yield case("mistakes on the way", [("fetch", n), ("double", "x"), ("answer", "LAST")], 5)
        yield case("never done", [("turn", n)], 4)
        yield case("the last step is too late", [("turn", "ab"), ("turn", "c"), ("answer", "d")], 2)
        yield case("answers at once", [("answer", "LAST")], 1)
        yield case(
            "more",
            [("turn", n), ("drop", "all"), double, double, ("answer", "LAST")],
            5,
            shown=False,
        )

    def with_while(planner, tools, most):
        history = []
        while len(history) < most:
            tool, argument = planner(history)
            if tool == "answer":
                return argument, history
            if tool not in tools:
                history.append((tool, argument, "no such tool"))
                continue
            try:
                history.append((tool, argument, tools[tool](argument)))
            except ValueError as error:
                history.append((tool, argument, "error: " + str(error)))
        return None, history

    def by_recursion(planner, tools, most):
        def call(tool, argument):
            if tool not in tools:
                return "no such tool"
            try:
                return tools[tool](argument)
            except ValueError as error:
                return f"error: {error}"

        def go(history):
            if len(history) == most:
                return None, history
            tool, argument = planner(history)
            if tool == "answer":
                return argument, history
            return go([*history, (tool, argument, call(tool, argument))])

        return go([])

    def loop(*, limit=0, drop_errors=False, keep_answer=False, last=False, prefix="error: "):
        def run_agent(planner, tools, most):
            history = []
            for _ in range(most + limit):
                tool, argument = planner(history)
                if tool == "answer":
                    if keep_answer:
                        history.append((tool, argument, argument))
                    return argument, history
                try:
                    observation = tools[tool](argument) if tool in tools else "no such tool"
                except ValueError as error:
                    if drop_errors:
                        return None, history
                    observation = f"{prefix}{error}"
                history.append((tool, argument, observation))
            return (history[-1][2] if last and history else None), history

        return run_agent

    one_more = loop(limit=1)
    gives_up = loop(drop_errors=True)
    answer_kept = loop(keep_answer=True)
    last_said = loop(last=True)
    bare_error = loop(prefix="")
    del loop

    variants = [with_while, by_recursion]
    mistakes = {
        "Ask the planner at most `most` times.": one_more,
        "An error is an observation too: put it down and go on.": gives_up,
        "The answer is no call of a tool: leave it out of the history.": answer_kept,
        "Without an answer, return None: the last observation is not one.": last_said,
        "Write 'error: ' before the message.": bare_error,
    }
    explain = r"""
    At most `most` times: ask the planner with the history so far. If it says `answer`, return the
    argument. Otherwise call the tool and append (tool, argument, observation). A tool that is not
    there gives the observation `no such tool`; one that raises a ValueError gives `error: ` and
    the message, so that the planner can try something else. When the steps are used up, the answer
    is None. The limit is what stops an agent that goes in circles.
    """
