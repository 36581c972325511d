#include <xgrad/core/errors.h>
#include <xgrad/datasets/pictures.h>

#ifdef XGRAD_HAS_PICTURES
#include <png.h>
#include <turbojpeg.h>
#endif

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>
#include <system_error>

namespace xgrad::datasets {
namespace {

namespace fs = std::filesystem;

using Bytes = std::vector<std::uint8_t>;

// The picture of pixels as files have them, each with its channels side by side.
Picture planar(const Bytes& interleaved, const Shape& shape) {
  Picture picture{shape, Bytes(interleaved.size())};
  const std::size_t channels = shape[0], plane = shape[1] * shape[2];
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < channels; ++c) picture.pixels[c * plane + i] = interleaved[i * channels + c];
  return picture;
}

// Room for the pixels of a file that says that it has so many.
Bytes room_for(const Shape& shape, InputFile& file) {
  if (element_count(shape) == 0) file.fail("a picture of ", shape, " (channels, height, width)");
  file.claim(2 * static_cast<std::uintmax_t>(element_count(shape)));
  return Bytes(element_count(shape));
}

#ifdef XGRAD_HAS_PICTURES

Picture read_png(std::string_view bytes, InputFile& file, std::optional<std::size_t> channels) {
  struct Image : png_image {
    Image() : png_image{} { version = PNG_IMAGE_VERSION; }
    ~Image() { png_image_free(this); }
  } image;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    file.fail("no whole PNG: ", printable(image.message));
  const bool colour = channels ? *channels == 3 : (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  const Shape shape = {colour ? 3u : 1u, image.height, image.width};
  Bytes pixels = room_for(shape, file);
  constexpr png_color white = {255, 255, 255};
  if (!png_image_finish_read(&image, &white, pixels.data(), 0, nullptr))
    file.fail("no whole PNG: ", printable(image.message));
  return planar(pixels, shape);
}

Picture read_jpeg(std::string_view bytes, InputFile& file, std::optional<std::size_t> channels) {
  const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), tjDestroy);
  const auto check = [&](int status) {  // not 0 for a warning, too, such as an early end
    if (!decoder || status != 0) file.fail("no whole JPEG: ", printable(tjGetErrorStr2(decoder.get())));
  };
  int width = 0, height = 0, sampling = 0, colours = 0;
  const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
  check(tjDecompressHeader3(decoder.get(), begin, bytes.size(), &width, &height, &sampling, &colours));
  const bool colour = channels ? *channels == 3 : colours != TJCS_GRAY;
  const Shape shape = {colour ? 3u : 1u, static_cast<std::size_t>(height), static_cast<std::size_t>(width)};
  Bytes pixels = room_for(shape, file);
  check(tjDecompress2(decoder.get(), begin, bytes.size(), pixels.data(), width, 0, height,
                      colour ? TJPF_RGB : TJPF_GRAY, TJFLAG_ACCURATEDCT));
  return planar(pixels, shape);
}

#else

Picture read_png(std::string_view, InputFile& file, std::optional<std::size_t>) {
  file.fail("this library was built without libpng and libturbojpeg: it reads PGM and PPM only");
}
Picture read_jpeg(std::string_view bytes, InputFile& file, std::optional<std::size_t> channels) {
  return read_png(bytes, file, channels);
}

#endif

// A number of the header of a PGM or PPM file, after space and comments, and what follows it.
std::size_t header_number(std::string_view& rest, const InputFile& file) {
  while (!rest.empty() && (std::isspace(static_cast<unsigned char>(rest[0])) || rest[0] == '#'))
    rest.remove_prefix(rest[0] == '#' ? std::min(rest.find('\n'), rest.size()) : 1);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || number == 0 || number > 1u << 30)
    file.fail("expected the width, the height and 255 after 'P5' or 'P6'");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return number;
}

// The format of Poskanzer's Netpbm, binary: https://netpbm.sourceforge.net/doc/ppm.html
Picture read_pnm(std::string_view bytes, InputFile& file, std::optional<std::size_t> channels) {
  const std::size_t stored = bytes[1] == '5' ? 1 : 3;
  std::string_view rest = bytes.substr(2);
  const std::size_t width = header_number(rest, file), height = header_number(rest, file),
                    most = header_number(rest, file);
  if (most != 255) file.fail("expected samples up to 255, got up to ", most);
  const Shape shape = {stored, height, width};
  Bytes pixels = room_for(shape, file);
  if (rest.size() != pixels.size() + 1)
    file.fail("expected ", pixels.size(), " samples for ", shape, ", got ", rest.empty() ? 0 : rest.size() - 1);
  std::copy(rest.begin() + 1, rest.end(), pixels.begin());
  Picture picture = planar(pixels, shape);
  const std::size_t wanted = channels.value_or(stored), plane = height * width;
  if (wanted == stored) return picture;
  Picture other{{wanted, height, width}, Bytes(wanted * plane)};
  for (std::size_t i = 0; i < plane; ++i) {
    const auto at = [&](std::size_t c) { return static_cast<double>(picture.pixels[c * plane + i]); };
    // ITU-R BT.601's luma, as JPEG has it.
    const double grey = stored == 1 ? at(0) : 0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2);
    for (std::size_t c = 0; c < wanted; ++c) other.pixels[c * plane + i] = static_cast<std::uint8_t>(std::lround(grey));
  }
  return other;
}

// What a new pixel along an axis takes of the old ones, of which it needs a few, one after the other.
struct Share {
  std::size_t first = 0;
  std::vector<double> weights = {};
};

std::vector<Share> shares(std::size_t from, std::size_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to), reach = std::max(ratio, 1.0);
  std::vector<Share> all(to);
  for (std::size_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio - 0.5;
    all[i].first = static_cast<std::size_t>(std::max(0.0, std::floor(centre - reach) + 1));
    double sum = 0;
    for (std::size_t k = all[i].first; k < from && static_cast<double>(k) < centre + reach; ++k)
      sum += all[i].weights.emplace_back(1 - std::abs(static_cast<double>(k) - centre) / reach);
    for (double& weight : all[i].weights) weight /= sum;
  }
  return all;
}

template <class T>
double sum_of(const Share& share, const T* from, std::size_t stride) {
  double sum = 0;
  from += share.first * stride;
  for (const double weight : share.weights) sum += weight * static_cast<double>(*from), from += stride;
  return sum;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (!at->path().filename().string().starts_with('.')) entries.push_back(at->path());
  if (error)
    throw DataError(
        message("[pictures] ", printable(folder.string()), ": no folder that can be read: ", error.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_picture(const fs::path& file) {
  std::string ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static const std::set<std::string> endings = {".png", ".jpg", ".jpeg", ".pgm", ".ppm"};
  return endings.count(ending) > 0;
}

}  // namespace

Picture read_picture(const fs::path& path, const PictureOptions& options) {
  if (options.channels && *options.channels != 1 && *options.channels != 3)
    throw ValueError(message("[pictures] channels must be 1 or 3, got ", *options.channels));
  InputFile file("pictures", path, options.load);
  const std::string bytes = file.read_all();
  const std::string_view begin = std::string_view(bytes).substr(0, 4);
  const auto read = begin.starts_with("\x89PNG")                         ? read_png
                    : begin.starts_with("\xFF\xD8")                      ? read_jpeg
                    : begin.starts_with("P5") || begin.starts_with("P6") ? read_pnm
                                                                         : nullptr;
  if (!read) file.fail("no PNG, JPEG, PGM or PPM: it begins with '", printable(std::string(begin)), "'");
  const Picture picture = read(bytes, file, options.channels);
  return options.size ? scaled(picture, (*options.size)[0], (*options.size)[1]) : picture;
}

Picture scaled(const Picture& picture, std::size_t height, std::size_t width) {
  if (height == 0 || width == 0)
    throw ValueError(message("[pictures] expected a size of 1 x 1 or more, got ", height, " x ", width));
  const std::size_t channels = picture.shape[0], rows = picture.shape[1], columns = picture.shape[2];
  if (rows == height && columns == width) return picture;
  const std::vector<Share> down = shares(rows, height), across = shares(columns, width);
  Picture result{{channels, height, width}, Bytes(channels * height * width)};
  std::vector<double> narrow(rows * width);
  std::uint8_t* to = result.pixels.data();
  for (std::size_t c = 0; c < channels; ++c) {
    const std::uint8_t* from = picture.pixels.data() + c * rows * columns;
    for (std::size_t i = 0; i < narrow.size(); ++i)
      narrow[i] = sum_of(across[i % width], from + i / width * columns, 1);
    for (std::size_t i = 0; i < height * width; ++i)
      *to++ = static_cast<std::uint8_t>(std::lround(sum_of(down[i / width], narrow.data() + i % width, width)));
  }
  return result;
}

Dataset picture_folder(const fs::path& folder, const PictureOptions& options) {
  PictureOptions same = options;
  Shape shape;
  Bytes pixels;
  std::vector<std::int64_t> labels;
  std::vector<std::string> names;
  for (const fs::path& one_class : sorted_entries(folder)) {
    if (std::error_code error; !fs::is_directory(one_class, error)) continue;
    const std::size_t before = labels.size();
    for (const fs::path& file : sorted_entries(one_class)) {
      if (!is_picture(file)) continue;
      const Picture picture = read_picture(file, same);
      if (shape.empty()) shape = picture.shape, same.channels = shape[0];
      if (picture.shape != shape)
        throw DataError(message("[pictures] ", printable(file.string()), ": expected a picture of ", shape,
                                ", as the first one, got ", picture.shape, "; a size scales all to one"));
      pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
      labels.push_back(static_cast<std::int64_t>(names.size()));
    }
    if (labels.size() == before)
      throw DataError(message("[pictures] ", printable(one_class.string()), ": a class without pictures"));
    names.push_back(one_class.filename().string());
  }
  if (names.empty())
    throw DataError(message("[pictures] ", printable(folder.string()), ": expected a folder for each class, got none"));
  return Dataset(std::move(pixels), shape, labels, std::move(names));
}

}  // namespace xgrad::datasets
