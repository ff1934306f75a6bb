"""Repositories with upstream's labels and Debian's libraries behind them.

Headers come from the compiler's own search path (/usr/include), so a target here is little more than its linker flags. One repository rule a
library keeps a consumer free to replace any of them by a source build: the labels are the same.
"""

_HEADER = """package(default_visibility = ["//visibility:public"])
"""

# Upstream package -> its targets that we use. All link the same shared objects; --as-needed drops what is not referenced.
_ABSL = {
    "absl/algorithm": ["algorithm", "container"],
    "absl/base": ["base", "core_headers", "endian", "log_severity"],
    "absl/cleanup": ["cleanup"],
    "absl/container": ["btree", "fixed_array", "flat_hash_map", "flat_hash_set", "inlined_vector", "node_hash_map"],
    "absl/functional": ["any_invocable", "bind_front", "function_ref"],
    "absl/hash": ["hash"],
    "absl/memory": ["memory"],
    "absl/meta": ["type_traits"],
    "absl/numeric": ["bits", "int128"],
    "absl/random": ["bit_gen_ref", "distributions", "random"],
    "absl/status": ["status", "statusor"],
    "absl/strings": ["cord", "str_format", "strings"],
    "absl/time": ["time"],
    "absl/types": ["optional", "span", "variant"],
    "absl/utility": ["utility"],
}

_ABSL_LIBRARIES = [
    "bad_optional_access", "bad_variant_access", "base", "city", "civil_time", "cord", "cord_internal", "cordz_functions", "cordz_handle",
    "cordz_info", "debugging_internal", "demangle_internal", "exponential_biased", "graphcycles_internal", "hash", "hashtablez_sampler", "int128",
    "log_severity", "low_level_hash", "malloc_internal", "random_distributions", "random_internal_platform", "random_internal_pool_urbg",
    "random_internal_randen", "random_internal_randen_hwaes", "random_internal_randen_hwaes_impl", "random_internal_randen_slow",
    "random_internal_seed_material", "random_seed_gen_exception", "random_seed_sequences", "raw_hash_set", "raw_logging_internal", "spinlock_wait",
    "stacktrace", "status", "statusor", "str_format_internal", "strerror", "strings", "strings_internal", "symbolize", "synchronization",
    "throw_delegate", "time", "time_zone",
]

def _cc_library(name, linkopts = [], deps = [], extra = ""):
    return """
cc_library(
    name = "%s",
    linkopts = %s,
    deps = %s,%s
)
""" % (name, repr(linkopts), repr(deps), extra)

def _linked(libraries):
    return ["-Wl,--push-state,--as-needed"] + ["-l" + library for library in libraries] + ["-Wl,--pop-state"]

def _absl(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("shared_objects", _linked(["absl_" + library for library in _ABSL_LIBRARIES])))
    for package, targets in _ABSL.items():
        ctx.file(package + "/BUILD", _HEADER + "".join([_cc_library(target, deps = ["//:shared_objects"]) for target in targets]))

def _googletest(ctx):
    ctx.file("BUILD", _HEADER +
                      _cc_library("gtest", _linked(["gmock", "gtest", "pthread"])) +
                      _cc_library("gtest_main", ["-lgmock_main"] + _linked(["gmock", "gtest", "pthread"])))

def _benchmark(ctx):
    ctx.file("BUILD", _HEADER +
                      _cc_library("benchmark", _linked(["benchmark", "pthread"])) +
                      _cc_library("benchmark_main", ["-lbenchmark_main"] + _linked(["benchmark", "pthread"])))

def _boringssl(ctx):
    # The headers lie beside OpenSSL's, so they are found through a link in this repository and never by -I/usr/include/android.
    ctx.symlink("/usr/include/android/openssl", "include/openssl")
    lib = "/usr/lib/%s-linux-gnu/android" % ctx.execute(["uname", "-m"]).stdout.strip()
    ctx.file("BUILD", _HEADER + _cc_library("crypto", ["-L" + lib, "-Wl,-rpath," + lib] + _linked(["crypto"]), extra = """
    hdrs = glob(["include/openssl/*.h"]),
    includes = ["include"],"""))

def _sqlite3(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("sqlite3", _linked(["sqlite3"])))

def _xxhash(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("xxhash", _linked(["xxhash"])))

def _snappy(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("snappy", _linked(["snappy"])))

def _zstd(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("zstd", _linked(["zstd"])))

def _postgresql(ctx):
    # Static, libpq's OpenSSL too, with every symbol hidden: OpenSSL shares names with the BoringSSL that a host may hold, and a shared libpq would
    # bind to that. GSSAPI and LDAP, which nobody else brings, stay shared, by their sonames.
    version = ctx.execute(["/usr/bin/pg_config", "--version"])
    server = "/usr/lib/postgresql/%s/lib" % (version.stdout.split(" ")[-1].split(".")[0] if version.return_code == 0 else "unknown")
    if version.return_code != 0 or not ctx.path(server + "/libpgcommon_shlib.a").exists:
        fail("PostgreSQL's libraries are not here: tools/setup.sh installs libpq-dev and postgresql-server-dev")
    ctx.symlink("/usr/include/postgresql", "include")
    # What libpq-dev installs of its inside includes two headers of the server's.
    ctx.symlink(server.replace("/usr/lib/postgresql/", "/usr/include/postgresql/")[:-len("lib")] + "server", "server")
    archives = ["pq", "pgcommon_shlib", "pgport_shlib", "ssl", "crypto"]
    ctx.file("BUILD", _HEADER + _cc_library(
        "libpq",
        ["-L" + server] +
        ["-l:lib%s.a" % archive for archive in archives] +
        ["-Wl,--exclude-libs," + ":".join(["lib%s.a" % archive for archive in archives])] +
        ["-Wl,--push-state,--as-needed", "-l:libgssapi_krb5.so.2", "-l:libldap-2.5.so.0", "-lpthread", "-ldl", "-Wl,--pop-state"],
        extra = """
    hdrs = ["include/libpq-fe.h", "include/pg_config_ext.h", "include/postgres_ext.h"],
    includes = ["include"],""",
    ) + """
cc_library(
    name = "libpq_internal",
    hdrs = glob(["include/*.h", "include/internal/**/*.h"]) + ["server/common/fe_memutils.h", "server/getaddrinfo.h"],
    includes = ["include/internal", "server"],
    visibility = ["//visibility:public"],
    deps = [":libpq"],
)
""")

def _gnutls(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("gnutls", _linked(["gnutls"])))

def _libmicrohttpd(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("microhttpd", _linked(["microhttpd"])))

def _nlohmann_json(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("json"))

def _cli11(ctx):
    ctx.file("BUILD", _HEADER + _cc_library("cli11"))

def _rules_cc(ctx):
    # Debian's bazel-rules-cc is newer than Debian's Bazel 4.2.3 and does not load, so this re-exports what Bazel carries itself.
    rules = ["cc_binary", "cc_import", "cc_library", "cc_proto_library", "cc_test", "cc_toolchain", "cc_toolchain_suite"]
    ctx.file("BUILD", "")
    ctx.file("cc/BUILD", "")
    ctx.file("cc/defs.bzl", "".join(["%s = native.%s\n" % (rule, rule) for rule in rules]))

def _remote_coverage_tools(ctx):
    # Bazel 4.2.3 wants this before it analyses any test, whether or not coverage is asked for.
    ctx.file("BUILD", _HEADER + """
filegroup(name = "coverage_report_generator")
""")

_LIBRARIES = {
    "absl": _absl,
    "benchmark": _benchmark,
    "boringssl": _boringssl,
    "cli11": _cli11,
    "gnutls": _gnutls,
    "googletest": _googletest,
    "libmicrohttpd": _libmicrohttpd,
    "nlohmann_json": _nlohmann_json,
    "postgresql": _postgresql,
    "remote_coverage_tools": _remote_coverage_tools,
    "rules_cc": _rules_cc,
    "snappy": _snappy,
    "sqlite3": _sqlite3,
    "xxhash": _xxhash,
    "zstd": _zstd,
}

def _debian_library_impl(ctx):
    _LIBRARIES[ctx.attr.library](ctx)

debian_library = repository_rule(
    implementation = _debian_library_impl,
    attrs = {"library": attr.string(mandatory = True, doc = "which of this file's libraries")},
    doc = "One library as Debian packages it, under upstream's labels.",
    local = True,
)

def _debian_protobuf_impl(ctx):
    ctx.symlink("/usr/bin/protoc", "protoc")
    ctx.file("BUILD", _HEADER + """
exports_files(["protoc"])
""" + _cc_library("protobuf", _linked(["protobuf", "pthread"])) + _cc_library("protobuf_lite", _linked(["protobuf-lite", "pthread"])) + """
proto_lang_toolchain(
    name = "cc_toolchain",
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
""")

debian_protobuf = repository_rule(
    implementation = _debian_protobuf_impl,
    doc = "protoc and the C++ runtime as Debian packages them.",
    local = True,
)
