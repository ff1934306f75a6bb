#include "sluice/benchmarks/raw_sha256.h"

#include <vector>

#include "benchmark/benchmark.h"
#include "openssl/sha.h"
#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {

double SecondsOfSha256(uint64_t bytes) {
  const std::vector<uint8_t> block(size_t{1} << 20, 'x');
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  const double begin = MonotonicSeconds();
  SHA256_Init(&context);
  for (uint64_t at = 0; at < bytes; at += block.size()) {
    SHA256_Update(&context, block.data(), block.size());
  }
  SHA256_Final(digest, &context);
  benchmark::DoNotOptimize(digest);
  return MonotonicSeconds() - begin;
}

}  // namespace sluice::benchmarks
