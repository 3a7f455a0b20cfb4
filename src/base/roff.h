// What man pages are written with: man(7), made by our own programs from their tables of commands
// and options.
#pragma once

#include <string>
#include <string_view>

namespace minke::roff {

// Text as it shall appear: dots and quotes at the start of a line, minus signs and backslashes are
// no markup.
std::string escaped(std::string_view text);

// The lines up to the section NAME's: `title` and `summary` as typed. The date is today's, or
// SOURCE_DATE_EPOCH's (seconds).
std::string head(std::string_view title, std::string_view summary);

}  // namespace minke::roff
