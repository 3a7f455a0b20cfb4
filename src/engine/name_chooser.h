// Who is asked which image a short name stands for, where short-name-mode leaves it to a person.
// There is one for the process, as there is one terminal: a command sets it, a service has none.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace minke::engine {

// One of `full_names`. An error ends the pull.
using NameChooser = std::function<Result<std::string>(const std::vector<std::string>& full_names)>;

void set_name_chooser(NameChooser chooser);
const NameChooser& name_chooser();  // empty: nobody can be asked

}  // namespace minke::engine
