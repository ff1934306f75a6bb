"""sluice_dependencies(): the repositories that Sluice needs, bound to Debian's packages unless the caller has its own."""

load("@sluice//third_party:debian.bzl", "debian_library", "debian_protobuf")

def _absent(name):
    return name not in native.existing_rules()

def sluice_dependencies():
    """Declares each missing external repository under its upstream name.

    A consumer that builds Abseil or Protobuf from source declares `com_google_absl` or `com_google_protobuf` first.
    """
    if _absent("com_google_absl"):
        debian_library(name = "com_google_absl", library = "absl")
    if _absent("com_google_googletest"):
        debian_library(name = "com_google_googletest", library = "googletest")
    if _absent("com_github_google_benchmark"):
        debian_library(name = "com_github_google_benchmark", library = "benchmark")
    if _absent("boringssl"):
        debian_library(name = "boringssl", library = "boringssl")
    if _absent("sqlite3"):
        debian_library(name = "sqlite3", library = "sqlite3")
    if _absent("xxhash"):
        debian_library(name = "xxhash", library = "xxhash")
    if _absent("snappy"):
        debian_library(name = "snappy", library = "snappy")
    if _absent("zstd"):
        debian_library(name = "zstd", library = "zstd")
    if _absent("gnutls"):
        debian_library(name = "gnutls", library = "gnutls")
    if _absent("libmicrohttpd"):
        debian_library(name = "libmicrohttpd", library = "libmicrohttpd")
    if _absent("nlohmann_json"):
        debian_library(name = "nlohmann_json", library = "nlohmann_json")
    if _absent("postgresql"):
        debian_library(name = "postgresql", library = "postgresql")
    if _absent("cli11"):
        debian_library(name = "cli11", library = "cli11")
    if _absent("com_google_protobuf"):
        debian_protobuf(name = "com_google_protobuf")
    for name in ["rules_cc", "remote_coverage_tools"]:
        if _absent(name):
            debian_library(name = name, library = name)
    for name, path in {
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/platforms",
    }.items():
        if _absent(name):
            native.local_repository(name = name, path = path)
