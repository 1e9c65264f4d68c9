// The ring of provided buffers: it begins small, and what finds no buffer waits in the socket until there are more.
#include "server/io/ring.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>
#include <string>
#include <vector>

#include "base/fd.h"

namespace mz::io {
namespace {

class BufferRingTest : public testing::Test {
 protected:
  static constexpr unsigned kFirst = 2, kMost = 8;
  static constexpr size_t kBytes = 512;

  void SetUp() override {
    ASSERT_TRUE(ring_.Init(8, 64, false).ok());
    ASSERT_TRUE(buffers_.Register(ring_, 0, kFirst, kMost, kBytes).ok());
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    receiver_.reset(pair[0]);
    sender_.reset(pair[1]);
  }
  void Send(const std::string& text) {
    ASSERT_EQ(::send(sender_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  // Arms a receive and takes what it brings. -> whether it ended for want of a buffer
  bool Receive() {
    io_uring_sqe* sqe = io_uring_get_sqe(ring_.get());
    io_uring_prep_recvmsg_multishot(sqe, receiver_.get(), &shape_, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    bool ended = false, none_left = false;
    while (!ended && received_.size() < 100) {
      if (io_uring_submit_and_wait(ring_.get(), 1) < 0) return false;
      io_uring_cqe* cqe;
      while (io_uring_peek_cqe(ring_.get(), &cqe) == 0) {
        ended = (cqe->flags & IORING_CQE_F_MORE) == 0;
        none_left |= cqe->res == -ENOBUFS;
        if (cqe->res >= 0 && (cqe->flags & IORING_CQE_F_BUFFER) != 0) {
          const unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
          io_uring_recvmsg_out* out = io_uring_recvmsg_validate(buffers_.buffer(id), cqe->res, &shape_);
          const auto* text = static_cast<const char*>(io_uring_recvmsg_payload(out, &shape_));
          received_.emplace_back(text, io_uring_recvmsg_payload_length(out, cqe->res, &shape_));
          ids_.insert(id);
        }
        io_uring_cqe_seen(ring_.get(), cqe);
      }
    }
    return none_left;
  }

  BufferRing buffers_;
  Ring ring_;
  UniqueFd receiver_, sender_;
  msghdr shape_{};
  std::vector<std::string> received_;
  std::set<unsigned> ids_;
};

TEST_F(BufferRingTest, WhatFindsNoBufferWaitsAndComesInOrder) {
  std::vector<std::string> sent;
  for (int i = 0; i < 9; i++) {
    sent.push_back("datagram " + std::to_string(i));
    Send(sent.back());
  }
  EXPECT_TRUE(Receive());
  EXPECT_EQ(received_.size(), kFirst);
  buffers_.Grow();
  EXPECT_EQ(buffers_.count(), 4u);
  EXPECT_TRUE(Receive());
  EXPECT_EQ(received_.size(), 4u);
  buffers_.Grow();
  buffers_.Grow();
  EXPECT_TRUE(Receive());
  EXPECT_EQ(received_.size(), kMost);
  EXPECT_EQ(ids_.size(), kMost);

  buffers_.Grow();  // there are no more: only those that come back
  EXPECT_EQ(buffers_.count(), kMost);
  EXPECT_TRUE(Receive());
  EXPECT_EQ(received_.size(), kMost);
  buffers_.Recycle(5);
  buffers_.Publish();
  EXPECT_TRUE(Receive());
  EXPECT_EQ(received_, sent);
}

TEST_F(BufferRingTest, GrowingKeepsWhatWasGivenBack) {
  Send("a");
  Send("b");
  EXPECT_TRUE(Receive());
  buffers_.Recycle(1);
  buffers_.Recycle(0);
  buffers_.Grow();  // publishes them too
  for (const char* text : {"c", "d", "e", "f", "g"}) Send(text);
  EXPECT_TRUE(Receive());
  EXPECT_EQ(received_, (std::vector<std::string>{"a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(ids_.size(), 4u);
}

}  // namespace
}  // namespace mz::io
