"""The zoo's plugins: shared objects as an author without our SDK would build them."""

ANIMALS = [
    "bad_kind",
    "bad_options",
    "constructor",
    "entry_lies",
    "entry_too_small",
    "factory_too_small",
    "larger_entry",
    "liar",
    "missing_function",
    "misuse",
    "newer_minor",
    "no_factories",
    "no_symbol",
    "null_create",
    "null_factories",
    "null_factory",
    "null_function",
    "null_source",
    "null_store_id",
    "null_write",
    "other_major",
    "source_too_small",
    "symbol_is_function",
    "symbol_too_small",
    "throws",
    "too_many_factories",
    "twice",
    "unknown_code",
    "unknown_role",
    "unknown_role_beside",
    "whole",
]

def zoo_plugins():
    for animal in ANIMALS:
        in_cpp = animal == "throws"

        # AddressSanitizer pads a variable, and with it the size of its symbol.
        unpadded = ["-fno-sanitize=address"] if animal == "symbol_too_small" else []
        native.cc_binary(
            name = animal + ".so",
            testonly = True,
            srcs = [animal + (".cc" if in_cpp else ".c")] + ([] if in_cpp else ["zoo.h"]),
            additional_linker_inputs = ["//plugins/abi:exports.lds"],
            copts = ["-Wall", "-Wextra", "-Werror"] + (["-std=c++20"] if in_cpp else ["-std=c11"]) + unpadded,
            linkopts = ["-Wl,--version-script=$(location //plugins/abi:exports.lds)"],
            linkshared = True,
            deps = ["//plugins/abi:sluice_plugin"],
        )
