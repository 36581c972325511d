#include "plane.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "../csv.h"
#include "reddi.h"
#include "words/race.h"

namespace lab::race_parts {

namespace say = words::race_section;
using Json = nlohmann::ordered_json;

Race race_on(const Function& f, const std::vector<Tuned>& tuned, std::size_t budget) {
  Race race = {.id = f.id,
               .label = f.label,
               .formula = f.formula,
               .why = f.why,
               .left = f.left,
               .right = f.right,
               .bottom = f.bottom,
               .top = f.top,
               .surface = sampled(f, grid, grid),
               .frames = frames(budget),
               .starts = f.starts,
               .minima = f.minima};
  race.runs.assign(f.starts.size(), std::vector<std::vector<Trajectory>>(tuned.size()));
  for (std::size_t r = 0; r < tuned.size(); ++r) {
    race.best_rates.push_back(tuned[r].rate);
    for (std::size_t i = 0; i <= rates.size(); ++i) {
      std::vector<Trajectory> results = run_racer(f, racers()[r], race.rate(r, i), budget);
      for (std::size_t s = 0; s < results.size(); ++s) race.runs[s][r].push_back(std::move(results[s]));
    }
  }
  return race;
}

Race reddi_race(std::size_t budget) {
  const std::size_t every = budget / 180 / 3 * 3 + 1;  // not a multiple of the period
  Race race = {.id = "reddi",
               .label = say::reddi{},
               .formula = say::reddi_formula{.beta2 = reddi_beta2},
               .why = say::reddi_why{.rate = reddi_rate},
               .y_label = "step",
               .left = -1.1,
               .right = 1.1,
               .bottom = 0,
               .top = static_cast<double>(budget),
               .surface = {},
               .frames = {},
               .starts = {{0, 0}},
               .minima = {}};
  for (std::size_t r = 0; r < grid; ++r)
    for (std::size_t c = 0; c < grid; ++c)
      race.surface.push_back(race.left + (race.right - race.left) * static_cast<double>(c) / (grid - 1));
  for (std::size_t step = 0; step < budget; step += every) race.frames.push_back(step);
  race.frames.push_back(budget);
  race.runs.assign(1, std::vector<std::vector<Trajectory>>(rules().size()));
  race.best_rates.assign(rules().size(), reddi_rate);
  for (std::size_t r = 0; r < rules().size(); ++r) {
    race.remarks.push_back(reddi_remark(rules()[r].id));
    for (std::size_t i = 0; i <= rates.size(); ++i)
      race.runs[0][r].push_back(run_reddi(rules()[r], race.rate(r, i), reddi_beta2, budget, every));
  }
  return race;
}

namespace {

constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Positions in twelve bits a coordinate, over twice the width and height of the plane: a digit, less 31, is how far a
// coordinate has come since the frame before, and the last digit says that it follows in two. The end, where nothing
// moves that is seen, is left out.
std::string packed(const Trajectory& run, const Race& race) {
  const auto code = [&](double value, double low, double high) {
    return std::lround(4095 * std::clamp(((value - low) / (high - low) + 0.5) / 2, 0.0, 1.0));
  };
  std::vector<std::array<long, 2>> codes;
  for (const Position& at : run.positions)
    codes.push_back({code(at[0], race.left, race.right), code(at[1], race.bottom, race.top)});
  while (codes.size() > 1 && codes.back() == codes[codes.size() - 2]) codes.pop_back();
  std::string text;
  std::array<long, 2> last = {-4095, -4095};  // too far for one digit
  for (const std::array<long, 2>& at : codes) {
    for (std::size_t k = 0; k < at.size(); ++k) {
      const long moved = at[k] - last[k];
      if (std::abs(moved) < 31)
        text += digits[moved + 31];
      else
        text += {digits[63], digits[at[k] >> 6], digits[at[k] & 63]};
    }
    last = at;
  }
  return text;
}

// The surface in sixty-four levels between its ends, in the logarithm of what is above the least.
std::string packed_surface(const std::vector<double>& values, bool logarithmic) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high - *low;
  std::string text;
  for (const double value : values) {
    const double above = (value - *low) / range;
    const auto code = std::lround(4095 * (logarithmic ? std::log1p(above * 3000) / std::log1p(3000) : above));
    text += {digits[code >> 6], digits[code & 63]};
  }
  return text;
}

}  // namespace

Json json(const Race& race) {
  const auto [least, most] = std::minmax_element(race.surface.begin(), race.surface.end());
  Json runs = Json::array();
  for (const std::vector<std::vector<Trajectory>>& from : race.runs) {
    Json of_start = Json::array();
    for (const std::vector<Trajectory>& racer : from) {
      Json of_racer = Json::array();
      for (const Trajectory& run : racer)
        of_racer.push_back(
            {packed(run, race), run.steps ? Json(*run.steps) : Json(nullptr), Json(number_text(run.distance))});
      of_start.push_back(std::move(of_racer));
    }
    runs.push_back(std::move(of_start));
  }
  return {{"id", race.id},
          {"label", race.label},
          {"formula", race.formula},
          {"why", race.why},
          {"x_label", race.x_label},
          {"y_label", race.y_label},
          {"range", {race.left, race.right, race.bottom, race.top}},
          {"columns", grid},
          {"surface", packed_surface(race.surface, race.id != "reddi")},
          {"heights", {*least, *most}},
          {"frames", race.frames},
          {"starts", race.starts},
          {"minima", race.minima},
          {"runs", runs},
          {"best", race.best_rates},
          {"remarks", race.remarks}};
}

std::vector<Csv> files(const std::vector<Race>& races) {
  Csv results = {"results", csv_line({"function", "start x", "start y", "optimizer", "rate", "steps to 1e-3",
                                      "value above the least", "distance", "is best rate"})};
  Csv ways = {"trajectories", csv_line({"function", "start x", "start y", "optimizer", "rate", "step", "x", "y"})};
  Csv surfaces = {"surfaces", csv_line({"function", "x", "y", "value"})};
  for (const Race& race : races) {
    for (std::size_t s = 0; s < race.starts.size(); ++s)
      for (std::size_t r = 0; r < race.runs[s].size(); ++r)
        for (std::size_t i = 0; i <= rates.size(); ++i) {
          const Trajectory& run = race.runs[s][r][i];
          const std::string begin = race.id + "," + csv_number(race.starts[s][0]) + "," +
                                    csv_number(race.starts[s][1]) + "," + racers()[r].label + "," +
                                    csv_number(race.rate(r, i)) + ",";
          results.lines += begin + csv_line({run.steps ? std::to_string(*run.steps) : "", csv_number(run.gap),
                                             csv_number(run.distance), i == rates.size() ? "1" : "0"});
          if (!racers()[r].pattern.empty() && i < rates.size()) continue;  // all of them would be a file of 75 MB
          for (std::size_t p = 0; p < run.positions.size(); ++p)
            ways.lines += begin + csv_line({std::to_string(race.frames[p]), csv_number(run.positions[p][0]),
                                            csv_number(run.positions[p][1])});
        }
    for (std::size_t i = 0; i < race.surface.size(); ++i) {
      const auto at = [](double low, double high, std::size_t index) {
        return csv_number(low + (high - low) * static_cast<double>(index) / (grid - 1));
      };
      surfaces.lines += csv_line({race.id, at(race.left, race.right, i % grid), at(race.bottom, race.top, i / grid),
                                  csv_number(race.surface[i])});
    }
  }
  return {results, ways, surfaces};
}

}  // namespace lab::race_parts
