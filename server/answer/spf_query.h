// Answers for SPF zones: TXT with the residual record, A for the exists form, and what lies around a query name.
#pragma once

#include "server/answer/dataset_query.h"

namespace mz::answer {

enum class SpfVerdict : uint8_t {
  kNothing,    // the name does not exist by this dataset
  kExists,     // it does, with or without records of the asked type
  kOverruled,  // whole name; an acl decides (only when `overruled` was set)
  kServFail,
  kRefused,
};

// Asks one spf dataset for the job's name, of which at least one label lies left of the apex. With `overruled`
// nothing is looked up: the question is only whether the name is one that could be asked.
SpfVerdict QuerySpf(Search& search, const image::DatasetRef& ref, bool overruled);

// First of several steps for a batch: reads the name and finds the hash of its domain, into the job. True when
// there is one.
bool GuessSpf(const image::View& view, const image::DatasetRef& ref, Job* job);

}  // namespace mz::answer
