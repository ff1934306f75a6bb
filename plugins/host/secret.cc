#include "sluice/plugins/host/secret.h"

#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

absl::Status Failed(absl::StatusCode code, absl::string_view message,
                    absl::string_view hint) {
  return WithHint(MakeError(code, kInvalidArgument, message), hint);
}

// Everything that `stream` gives, bounded.
absl::StatusOr<std::string> ReadAll(std::FILE* stream,
                                    absl::string_view reference) {
  std::string content;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), stream)) {
    content.append(buffer, size);
    if (content.size() > kMaxSecretBytes) {
      return Failed(
          absl::StatusCode::kInvalidArgument,
          absl::StrCat("secret ", reference, " is longer than 64 KiB"), "");
    }
  }
  if (std::ferror(stream) != 0) {
    return Failed(absl::StatusCode::kUnavailable,
                  absl::StrCat("secret ", reference, " could not be read"), "");
  }
  absl::string_view trimmed = content;
  absl::ConsumeSuffix(&trimmed, "\n");
  return std::string(trimmed);
}

absl::StatusOr<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    return Failed(absl::StatusCode::kNotFound,
                  absl::StrCat("environment variable ", name, " is not set"),
                  absl::StrCat("export ", name, " before the command"));
  }
  return std::string(value);
}

absl::StatusOr<std::string> FromFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    const int error = errno;
    return Failed(error == EACCES ? absl::StatusCode::kPermissionDenied
                                  : absl::StatusCode::kNotFound,
                  absl::StrCat("secret file ", path, ": ", strerror(error)),
                  "");
  }
  const absl::Cleanup close = [file] { std::fclose(file); };
  return ReadAll(file, absl::StrCat("file:", path));
}

absl::StatusOr<std::string> FromCommand(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) {
    return Failed(absl::StatusCode::kUnavailable,
                  "the command of a secret could not be started", "");
  }
  absl::StatusOr<std::string> secret = ReadAll(pipe, "of the command");
  const int status = pclose(pipe);
  SLUICE_RETURN_IF_ERROR(secret.status());
  if (status != 0) {
    return Failed(
        absl::StatusCode::kUnavailable,
        absl::StrCat("the command of a secret failed with status ",
                     WIFEXITED(status) ? WEXITSTATUS(status) : status),
        "run the command by itself to see why");
  }
  return secret;
}

}  // namespace

bool IsSecretReference(absl::string_view text) {
  for (const absl::string_view scheme : {"env:", "file:", "cmd:"}) {
    if (absl::StartsWith(text, scheme)) return text.size() > scheme.size();
  }
  return false;
}

absl::StatusOr<std::string> ResolveSecret(absl::string_view reference) {
  if (!IsSecretReference(reference) ||
      absl::StrContains(reference, absl::string_view("\0", 1))) {
    return Failed(absl::StatusCode::kInvalidArgument,
                  "a secret must be given by reference, not as it is",
                  "use env:NAME, file:/path or cmd:COMMAND");
  }
  absl::StatusOr<std::string> secret;
  if (absl::ConsumePrefix(&reference, "env:")) {
    secret = FromEnvironment(std::string(reference));
  } else if (absl::ConsumePrefix(&reference, "file:")) {
    secret = FromFile(std::string(reference));
  } else {
    secret = FromCommand(std::string(absl::StripPrefix(reference, "cmd:")));
  }
  if (secret.ok() && secret->empty()) {
    return Failed(absl::StatusCode::kInvalidArgument,
                  "the secret that a reference names is empty", "");
  }
  return secret;
}

}  // namespace sluice
