// An image for the express lane: zones that have a plan, and zones that just miss one. More than the lane keeps plans for, and
// no global acl.
#pragma once

#include "answer_fixture.h"

namespace mz::answer {

// Domains of _spf.test. Below one of them names get as long as those that a client has to cut, below the other a reply
// gets too long for 512 octets. `bytes`: of the first label, 40 or 30.
std::string LongDomain(size_t bytes);

TestImage MakeExpressImage(uint32_t profile);

}  // namespace mz::answer
