#include "sluice/service/http/message/response_stream.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::http {
namespace {

std::string TakeAll(ResponseStream& stream) {
  std::string all;
  char buffer[4];
  while (true) {
    const auto taken = stream.Take(buffer, sizeof(buffer));
    if (taken.bytes == 0) return all;
    all.append(buffer, taken.bytes);
  }
}

TEST(ResponseStreamTest, AnEventCannotForgeAnotherField) {
  EXPECT_EQ(FormatEvent({"7", "job", "a\nb\r\nc\rd"}),
            "id: 7\nevent: job\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(FormatEvent({"7\ndata: x", "job\r\n\r\n", "data: y"}),
            "id: 7data: x\nevent: job\ndata: data: y\n\n");
  EXPECT_EQ(FormatEvent({"", "", ""}), "data: \n\n");
}

TEST(ResponseStreamTest, WhatWasSentComesOutInOrder) {
  ResponseStream stream;
  EXPECT_TRUE(stream.Write("abcdef"));
  EXPECT_TRUE(stream.Write("ghi"));
  EXPECT_EQ(TakeAll(stream), "abcdefghi");
  stream.End();
  char buffer[4];
  EXPECT_TRUE(stream.Take(buffer, 4).is_over);
  EXPECT_FALSE(stream.Write("x"));
}

TEST(ResponseStreamTest, WakesOnlyWhoFoundNothing) {
  ResponseStream stream;
  int wakes = 0;
  stream.Bind([&] { ++wakes; });
  EXPECT_TRUE(stream.Write("a"));
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(TakeAll(stream), "a");
  EXPECT_TRUE(stream.Write("b"));
  EXPECT_TRUE(stream.Write("c"));
  EXPECT_EQ(wakes, 1);
}

TEST(ResponseStreamTest, WhoFallsBehindTheBoundIsCutOff) {
  ResponseStream stream(8);
  int wakes = 0;
  stream.Bind([&] { ++wakes; });
  EXPECT_TRUE(stream.Write("12345678"));
  EXPECT_FALSE(stream.Write("9"));
  EXPECT_EQ(wakes, 1);
  EXPECT_FALSE(stream.is_open());
  char buffer[4];
  EXPECT_TRUE(stream.Take(buffer, 4).is_cut);
}

TEST(ResponseStreamTest, AHeartbeatIsACommentAndFailsWhereTheLastWasNotTaken) {
  ResponseStream stream;
  EXPECT_TRUE(stream.Heartbeat());
  EXPECT_EQ(TakeAll(stream), ":\n\n");
  EXPECT_TRUE(stream.Heartbeat());
  EXPECT_FALSE(stream.Heartbeat());
}

TEST(ResponseStreamTest, TellsItsProducerOnceThatItIsOver) {
  ResponseStream stream;
  int calls = 0;
  stream.OnClosed([&] { ++calls; });
  stream.Close();
  stream.Close();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(stream.Send({"", "", "x"}));
  stream.OnClosed([&] { ++calls; });
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace sluice::http
