#!/usr/bin/env python3
"""tools/compile_commands.py [TARGETS]: writes compile_commands.json at the top
of the tree, for clangd and whatever else reads it, from what Bazel would run to
compile TARGETS (//... by default). Nothing is compiled but the protos.

Each source has an entry of its own, also where a build compiles a library's as
one (ADR 22). Headers are found in the tree itself, so that an editor that
follows an include opens the file that is edited.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / ".sluice/include"

# What Clang does not take, or takes for a precompiled header of its own.
LEFT_OUT = {"-fno-canonical-system-headers", "-Winvalid-pch",
            "-Wno-free-nonheap-object", "-Wunused-but-set-parameter"}


def bazel(*arguments):
    """What `bazel ARGUMENTS` prints; ends the script where it fails."""
    script = f'root={ROOT}; . "$root/tools/common.sh"; cd "$root"; sluice_bazel "$@"'
    return subprocess.run(["bash", "-c", script, "bazel", *arguments],
                          check=True, stdout=subprocess.PIPE, text=True).stdout


def flags_of(arguments, external):
    """(the source, the flags of a compile less its outputs and left-outs).
    Other repositories are in `external` also when the last build had no use for
    them."""
    source = None
    flags = [f"-I{INCLUDE}"]
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "-c":
            source = next(rest)
        elif argument in ("-o", "-MF"):
            next(rest)
        elif argument == "-include":
            header = next(rest)
            if "/tools/pch/" not in header:
                flags += [argument, header]
        elif (argument not in LEFT_OUT and argument != "-MD"
              and not argument.startswith("-frandom-seed=")):
            flags.append(re.sub("^external/", external, argument))
    return source, flags


def main(targets):
    INCLUDE.mkdir(parents=True, exist_ok=True)
    link = INCLUDE / "sluice"
    if not link.is_symlink():
        link.symlink_to(ROOT)
    quiet = "--ui_event_filters=-info"
    options = ["-c", "opt", "--define=joined=0", quiet]
    bazel("build", *options, "//executor:models_cc_proto")
    found = json.loads(bazel(
        "aquery", *options, "--output=jsonproto",
        f'mnemonic("CppCompile", set({" ".join(targets or ["//..."])}))'))
    folder = bazel("info", "execution_root", quiet).strip()
    external = bazel("info", "output_base", quiet).strip() + "/external/"
    entries = {}
    for action in found.get("actions", []):
        source, flags = flags_of(action["arguments"], external)
        if source is None or not (ROOT / source).exists():
            continue  # generated, or another repository's
        file = str(ROOT / source)
        compiler = "clang" if source.endswith(".c") else "clang++"
        entries[file] = {"directory": folder, "file": file,
                         "arguments": [compiler, *flags, "-c", file]}
    if not entries:
        sys.exit("compile_commands: no source was found")
    out = ROOT / "compile_commands.json"
    out.write_text(json.dumps([entries[file] for file in sorted(entries)],
                              indent=1) + "\n")
    print(f"{len(entries)} sources in {out.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
