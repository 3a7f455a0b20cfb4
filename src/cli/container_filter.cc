#include "cli/container_filter.h"

#include <algorithm>

#include "base/str.h"

namespace minke::cli {

namespace {

using engine::ContainerState;
using engine::ContainerSummary;

constexpr std::string_view kRefused[] = {"pod"};
constexpr std::string_view kStates[] = {"created",  "initialized", "running", "paused",
                                        "stopping", "stopped",     "exited",  "removing",
                                        "unknown",  "restarting"};

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// The creation time of a container by name or id.
Result<TimeNs> created_of(engine::Engine& engine, std::string_view name) {
  std::string id = TRY(engine.resolve_id(name));
  return TRY(engine.summary(id)).created;
}

std::string_view shown_state(ContainerState state) {
  return state == ContainerState::stopped ? "exited" : engine::state_name(state);
}

// none and host are no networks, so nobody is in them; container:ID is asked for as it stands.
bool network_matches(const ContainerSummary& container, std::string_view wanted) {
  if (wanted.starts_with("container:")) return container.network_mode == wanted;
  return contains(container.networks, wanted);
}

bool volume_matches(const ContainerSummary& container, std::string_view wanted) {
  std::string_view name = wanted, place;
  if (auto pair = split_once(wanted, ':')) {
    name = pair->first;
    place = pair->second;
  }
  if (!place.empty()) return contains(container.volumes, name) && contains(container.mounts, place);
  return contains(container.volumes, name) || contains(container.mounts, name);
}

}  // namespace

Result<ContainerFilter::Check> ContainerFilter::make_check(
    engine::Engine& engine, const std::string& key, const std::vector<std::string_view>& values) {
  Check check;
  check.key = key;
  if (key == "name") {
    for (std::string_view value : values) {
      std::string text(value);
      text.erase(std::remove(text.begin(), text.end(), '/'), text.end());
      check.patterns.push_back(TRY(Pattern::compile(key, text)));
    }
  } else if (key == "id") {
    for (std::string_view value : values) {
      if (is_hex(value))
        check.values.emplace_back(to_lower(value));
      else
        check.patterns.push_back(TRY(Pattern::compile(key, value)));
    }
  } else if (key == "command") {
    for (std::string_view value : values)
      check.patterns.push_back(TRY(Pattern::compile(key, value)));
  } else if (key == "status") {
    for (std::string_view value : values) {
      if (std::find(std::begin(kStates), std::end(kStates), value) == std::end(kStates))
        return invalid(concat("unknown container state: ", value, ": invalid argument"));
      check.values.emplace_back(value == "stopped" ? "exited" : value);
    }
  } else if (key == "exited") {
    for (std::string_view value : values) {
      auto code = parse_int(value);
      if (!code || *code < INT32_MIN || *code > INT32_MAX)
        return invalid(concat("exited code out of range: strconv.ParseInt: parsing ", quote(value),
                              ": invalid syntax"));
      check.codes.push_back(static_cast<std::int32_t>(*code));
    }
  } else if (key == "ancestor") {
    for (std::string_view value : values) {
      auto image = engine.store().find_image(value);
      if (image)
        check.values.push_back(image->id);
      else if (image.error().code() == Errc::not_found)
        check.values.emplace_back(value);
      else
        return std::move(image.error());
    }
  } else if (key == "before" || key == "since") {
    check.time = INT64_MAX;
    for (std::string_view value : values)
      check.time = std::min(check.time, TRY(created_of(engine, value)));
  } else if (key == "until") {
    if (values.size() > 1) return invalid("specify exactly one timestamp for until");
    check.time = TRY(filter_time(key, values[0]));
  } else if (key == "network") {
    const net::NetworkStore* store = TRY(engine.networks());
    for (std::string_view value : values) {  // ids stand for their networks
      auto network = store->find(value);
      check.values.emplace_back(network ? std::string_view(network->name) : value);
    }
  } else if (key == "volume") {
    check.values.assign(values.begin(), values.end());
  } else if (key == "health") {
    check.values.assign(values.begin(), values.end());
  } else if (key == "should-start-on-boot") {
    for (std::string_view value : values)
      check.values.emplace_back(TRY(filter_bool(key, value)) ? "true" : "false");
  } else if (key == "restart-policy") {
    for (std::string_view value : values) {
      constexpr std::string_view kPolicies[] = {"none", "no", "always", "on-failure",
                                                "unless-stopped"};
      if (std::find(std::begin(kPolicies), std::end(kPolicies), value) == std::end(kPolicies))
        return invalid(concat(value, " invalid restart policy"));
      check.values.emplace_back(value == "none" ? std::string_view("no") : value);
    }
  } else if (std::find(std::begin(kRefused), std::end(kRefused), key) != std::end(kRefused)) {
    return Error(Errc::unsupported, concat("filter ", key, " is not supported yet"));
  } else {
    return invalid(concat(key, " is an invalid filter"));
  }
  return check;
}

Result<ContainerFilter> ContainerFilter::make(engine::Engine& engine,
                                              const std::vector<std::string>& texts) {
  ContainerFilter out;
  std::vector<std::string> done;
  for (const std::string& text : texts)
    if (text.find('=') == std::string::npos) return invalid(concat("invalid filter ", quote(text)));
  std::vector<Filter> filters = TRY(parse_filters(texts));
  for (const Filter& filter : filters) {
    if (filter.key == "label" || filter.key == "label!") {
      out.labels_.push_back(filter);
      continue;
    }
    if (contains(done, filter.key)) continue;
    done.push_back(filter.key);
    out.checks_.push_back(TRY(make_check(engine, filter.key, filter_values(filters, filter.key))));
    out.asks_for_state_ = out.asks_for_state_ || filter.key == "status";
  }
  return out;
}

bool ContainerFilter::passes(const Check& check, const ContainerSummary& container) {
  auto found = [&check](const std::string& text) {
    return !check.patterns.empty() && any_pattern(check.patterns, text);
  };
  auto any = [&check](auto matches) {
    return std::any_of(check.values.begin(), check.values.end(), matches);
  };
  if (check.key == "name") return found(container.name);
  if (check.key == "id")
    return found(container.id) ||
           any([&](const std::string& v) { return container.id.starts_with(v); });
  if (check.key == "command") return !container.command.empty() && found(container.command[0]);
  if (check.key == "status") return contains(check.values, shown_state(container.state));
  if (check.key == "exited")
    return shown_state(container.state) == "exited" &&
           std::find(check.codes.begin(), check.codes.end(), container.exit_code) !=
               check.codes.end();
  if (check.key == "ancestor")
    return any([&](const std::string& v) {
      return container.image_id.find(v) != std::string::npos ||
             container.image_name.find(v) != std::string::npos;
    });
  if (check.key == "before") return container.created < check.time;
  if (check.key == "since") return container.created > check.time;
  if (check.key == "until") return container.created < check.time;
  if (check.key == "volume")
    return any([&](const std::string& v) { return volume_matches(container, v); });
  if (check.key == "network")
    return any([&](const std::string& v) { return network_matches(container, v); });
  if (check.key == "health")
    return contains(check.values, container.health.empty() ? "none" : container.health);
  if (check.key == "should-start-on-boot") {
    bool starts = container.restart_policy == "always" ||
                  (container.restart_policy == "unless-stopped" && !container.stopped_by_user);
    return contains(check.values, starts ? "true" : "false");
  }
  if (check.key == "restart-policy")
    return contains(check.values,
                    container.restart_policy.empty() ? "no" : container.restart_policy);
  return false;
}

bool ContainerFilter::matches(const ContainerSummary& container) const {
  if (!labels_.empty() && !labels_match(labels_, container.labels)) return false;
  for (const Check& check : checks_)
    if (!passes(check, container)) return false;
  return true;
}

}  // namespace minke::cli
