#!/usr/bin/env python3
"""Counts what stands twice: tools/repeated.py [REV]

Prints how many passages of the tree stand twice, then each of them with its
two places, most lines first. Without REV it reads the files that git tracks
as they lie in the work tree, else those of that commit, so that a clean-up
can be measured: what is deleted is the measure.

What is read: C, C++, Python and shell (by ending, or by the first line where
there is no ending). BUILD and .bzl files are not: a rule is a list of names.

What is a line: white space is folded. Passed over, since a language asks for
them wherever they stand: blank lines, comments and docstrings, punctuation
alone, includes and imports, include guards, namespaces, using declarations.

What is a passage: six or more lines in a row, as long as they go on being
alike at both places, which do not overlap. Lines are alike if they are the
same but for identifiers, strings and numbers (never keywords). Where six
lines are not the same to the letter ("shape"), five of their shapes differ:
fewer is a list, a table or a switch over names, which is as it should be.

What is counted: a passage that stands at three places is three pairs, up to
eight places. What stands at more is paired with the next place only, so that
one more place is one pair more.
"""

import collections
import io
import re
import signal
import subprocess
import sys
import tarfile

LINES = 6
SHAPES = 5
PLACES = 8

KEYWORDS = frozenset("""
    alignas auto bool break case catch char class const constexpr continue
    decltype default delete do double else enum explicit extern final float for
    friend goto if inline int long mutable namespace new noexcept nullptr
    operator override private protected public return short signed sizeof
    static static_cast struct switch template this throw try typedef typename
    union unsigned using virtual void volatile while true false
    and as assert def del elif except finally from global import in is lambda
    not or pass raise with yield None True False
    then fi done esac local function export set shift echo exit""".split())

C_TOKENS = re.compile(r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<string> R"(?P<mark>\w*)\(.*?\)(?P=mark)"
              | "(?:\\.|[^"\\\n])*" | (?<!\w)'(?:\\.|[^'\\\n])*' )""",
                      re.VERBOSE | re.DOTALL)
PYTHON_TOKENS = re.compile(r"""
    (?P<comment> \#[^\n]* | ^[ \t]*(?P<doc>\"{3}|'{3}).*?(?P=doc) )
  | (?P<string> (?P<long>\"{3}|'{3}).*?(?P=long)
              | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )""",
                           re.VERBOSE | re.DOTALL | re.MULTILINE)
SHELL_TOKENS = re.compile(r"""
    (?P<comment> (?:^|(?<=[ \t]))\#[^\n]* )
  | (?P<string> "(?:\\.|[^"\\\n])*" | '[^'\n]*' )""",
                          re.VERBOSE | re.MULTILINE)

ASKED_FOR = re.compile(
    r"#\s*(include|ifndef \w+_H_?$|define \w+_H_?$|endif)|"
    r"(inline )?namespace\b.*\{$|using [\w:]+;$|using namespace\b|"
    r"(from [\w.]+ )?import\b|set -\w+|\W*$")
WORD = re.compile(r"(?P<string>\x00\d+\x00)|[A-Za-z_]\w*|\d[\w.']*")

Line = collections.namedtuple("Line", "number text shape")
Passage = collections.namedtuple("Passage", "lines same left right")


def tokens_of(name, text):
    """How the strings and comments of a file look; None: not read."""
    ending = name.rpartition("/")[2].rpartition(".")
    if ending[2] in ("c", "cc", "h"):
        return C_TOKENS
    if ending[2] == "py":
        return PYTHON_TOKENS
    if ending[2] == "sh":
        return SHELL_TOKENS
    if not ending[1] and text.startswith("#!"):
        return PYTHON_TOKENS if "python" in text.split("\n", 1)[0] else SHELL_TOKENS
    return None


def code_lines(name, text):
    """The lines of a file that count."""
    tokens = tokens_of(name, text)
    if tokens is None:
        return []
    strings = []

    def put_aside(match):
        newlines = "\n" * match.group().count("\n")
        if match.group("comment") is not None:
            return newlines
        strings.append(match.group())
        return f"\x00{len(strings) - 1}\x00{newlines}"

    def placeholder(match):
        if match.group("string"):
            return "S"
        word = match.group()
        if word[0].isdigit():
            return "0"
        return word if word in KEYWORDS else "x"

    lines = []
    for number, raw in enumerate(tokens.sub(put_aside, text).split("\n"), 1):
        folded = " ".join(raw.split())
        if ASKED_FOR.match(folded):
            continue
        exact = re.sub(r"\x00(\d+)\x00", lambda m: strings[int(m[1])], folded)
        lines.append(Line(number, exact, WORD.sub(placeholder, folded)))
    return lines


def pairs(places):
    """Which of the places of six lines are compared with which."""
    if len(places) > PLACES:
        return zip(places, places[1:])
    return ((a, b) for i, a in enumerate(places) for b in places[i + 1:])


def starts(files):
    """Every two places whose six lines are alike: {(name, name, distance):
    [index of the first place, …]}."""
    windows = collections.defaultdict(list)
    for name in sorted(files):
        lines = files[name]
        for at in range(len(lines) - LINES + 1):
            shape = tuple(line.shape for line in lines[at:at + LINES])
            exact = tuple(line.text for line in lines[at:at + LINES])
            if len(set(shape)) >= SHAPES:
                windows[shape].append((name, at))
            else:
                windows[exact].append((name, at))
    found = collections.defaultdict(list)
    for places in windows.values():
        for (left, i), (right, k) in pairs(places):
            if left != right or k - i >= LINES:
                found[left, right, k - i].append(i)
    return found


def passages(files):
    """All that stands twice in {name: [Line]}, most lines first."""
    found = []
    for (left, right, distance), firsts in starts(files).items():
        firsts.sort()
        while firsts:
            first = last = firsts.pop(0)
            while firsts and firsts[0] <= last + LINES:
                last = firsts.pop(0)
            end = last + LINES
            if left == right:
                end = min(end, first + distance)
            a = files[left][first:end]
            b = files[right][first + distance:end + distance]
            same = all(x.text == y.text for x, y in zip(a, b))
            found.append(
                Passage(len(a), same, (left, a[0].number, a[-1].number),
                        (right, b[0].number, b[-1].number)))
    return sorted(found, key=lambda p: (-p.lines, p.left, p.right))


def git(*words):
    return subprocess.run(("git",) + words, check=True, capture_output=True).stdout


def read_tree(revision):
    """{name: text} of the commit, or of the work tree where there is none."""
    texts = {}
    if revision:
        with tarfile.open(fileobj=io.BytesIO(git("archive", revision))) as tar:
            for member in tar:
                if member.isfile():
                    texts[member.name] = tar.extractfile(member).read()
    else:
        for name in git("ls-files", "-z").decode().split("\0")[:-1]:
            try:
                with open(name, "rb") as file:
                    texts[name] = file.read()
            except (FileNotFoundError, IsADirectoryError):
                pass  # deleted and not committed yet
    return {name: text.decode(errors="replace") for name, text in texts.items()}


def main(words):
    texts = read_tree(words[0] if words else None)
    found = passages({n: code_lines(n, t) for n, t in texts.items()})
    files = {(p.left[0], p.right[0]) for p in found}
    print(f"{len(found)} passages stand twice, in {len(files)} pairs of files, "
          f"{sum(p.lines for p in found)} lines "
          f"({sum(p.same for p in found)} the same to the letter)")
    for p in found:
        print(f"{p.lines:4} {'same ' if p.same else 'shape'} "
              + " ~ ".join(f"{name}:{a}-{b}" for name, a, b in (p.left, p.right)))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # | head
    main(sys.argv[1:])
