// An image for the express lane: zones that have a plan, and zones that just miss one. More than the lane keeps plans for, and
// no global acl.
#pragma once

#include "answer_fixture.h"

namespace mz::answer {

// A domain of _spf.test below which names get as long as those that a client has to cut.
std::string LongDomain();

TestImage MakeExpressImage(uint32_t profile);

}  // namespace mz::answer
