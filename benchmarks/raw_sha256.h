#ifndef SLUICE_BENCHMARKS_RAW_SHA256_H_
#define SLUICE_BENCHMARKS_RAW_SHA256_H_

#include <cstdint>

namespace sluice::benchmarks {

// The reference of everything that hashes: seconds of BoringSSL's SHA-256 of
// `bytes` bytes on this thread, over one warm MiB.
double SecondsOfSha256(uint64_t bytes);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_RAW_SHA256_H_
