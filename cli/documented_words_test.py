"""What the documents say of the command is what it has.

usage: documented_words_test.py SLUICE ERROR_H EXIT_STATUS.md DOCUMENT...

Each verb and flag that a document types after "sluice" must be in the manual
page, which is made from the command's own table; each word of base/error.h must
stand in the list of words.
"""

import pathlib
import re
import subprocess
import sys

SLUICE, ERROR_H, EXIT_STATUS = sys.argv[1:4]
DOCUMENTS = [pathlib.Path(name) for name in sys.argv[4:]]
# "sluice VERB ..." at the begin of a line of code: to its end, or a pipe.
TYPED = re.compile(r"^(?:\$ )?(?:as_sluice )?(?:\./)?sluice ([a-z][^`|\n]*)")


def code_of(text):
    """The parts of a Markdown text that are code."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split())
             for span in re.findall(r"`([^`]+)`", prose)]
    return [line for block in blocks
            for line in block.replace("\\\n", " ").splitlines()] + spans


def problems_of(path, verbs, flags):
    for code in code_of(path.read_text(encoding="utf-8")):
        for typed in TYPED.findall(code):
            words = typed.split("#")[0].split()
            first, second = words[0], " ".join(words[:2])
            groups = {verb.split()[0] for verb in verbs if " " in verb}
            known = (first in verbs or second in verbs or first == "plugin" or
                     (first in groups and len(words) == 1))
            if not known:
                yield f"{path}: no verb: sluice {typed}"
                continue
            for flag in re.findall(r"(?<!\S)--([a-z][a-z-]*)", typed):
                if flag not in flags:
                    yield f"{path}: no flag --{flag}: sluice {typed}"
        for flag in re.findall(r"^--([a-z][a-z-]*)", code):
            if flag not in flags:
                yield f"{path}: no flag --{flag}"


def main():
    page = subprocess.run([SLUICE, "man"], capture_output=True, check=True,
                          text=True).stdout
    verbs = set(re.findall(r'^\.SS "([a-z ]+)"', page, re.MULTILINE)) | {"help"}
    flags = {name.replace("\\-", "-")
             for name in re.findall(r"\\fB\\-\\-([a-z\\-]+)\\fR", page)}
    problems = [problem for path in DOCUMENTS
                for problem in problems_of(path, verbs, flags)]
    listed = pathlib.Path(EXIT_STATUS).read_text(encoding="utf-8")
    for word in re.findall(r'"([a-z_]+)";',
                           pathlib.Path(ERROR_H).read_text(encoding="utf-8")):
        if f"| `{word}` |" not in listed:
            problems.append(f"{EXIT_STATUS}: does not list {word}")
    print("\n".join(problems) or
          f"{len(verbs)} verbs, {len(flags)} flags, {len(DOCUMENTS)} documents")
    return 1 if problems or len(verbs) < 20 or len(DOCUMENTS) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
