#include <xgrad/core/errors.h>
#include <xgrad/datasets/byte_source.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace xgrad::datasets {

// zlib's own gzread accepts plain files, several members and whatever follows them: the stream is driven by hand.
struct ByteSource::Gzip {
  Gzip() {
    constexpr int gzip_only = 16;  // added to the size of the window: see inflateInit2 in zlib.h
    if (inflateInit2(&stream, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~Gzip() { inflateEnd(&stream); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  z_stream stream{};
  std::array<std::uint8_t, 1 << 16> packed;
  std::uintmax_t fetched = 0;  // bytes read from the file
  bool ended = false;

  std::uintmax_t offset() const { return fetched - stream.avail_in; }
};

ByteSource::ByteSource(const std::filesystem::path& file) : path_(file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (status.type() == fs::file_type::not_found) fail("no such file");
  if (fs::is_directory(status)) fail("expected a file, got a folder");
  if (error || !fs::is_regular_file(status)) fail("expected a regular file" + (error ? ": " + error.message() : ""));
  file_.open(path_, std::ios::binary);
  if (!file_) fail("cannot be opened: " + std::generic_category().message(errno));
  file_size_ = fs::file_size(path_, error);
  if (error) fail("its size cannot be read: " + error.message());
  if (file_size_ == 0) fail("the file is empty");

  std::array<std::uint8_t, 2> magic{};
  const std::size_t size = read_file(magic);
  file_.clear();
  file_.seekg(0);
  if (size == 2 && magic[0] == 0x1f && magic[1] == 0x8b) gzip_ = std::make_unique<Gzip>();
}

ByteSource::~ByteSource() = default;

void ByteSource::fail(const std::string& what) const {
  throw DataError(message("[read_idx] ", path_.string(), ": ", what));
}

std::size_t ByteSource::read(std::span<std::uint8_t> to) { return gzip_ ? inflate(to) : read_file(to); }

std::size_t ByteSource::read_file(std::span<std::uint8_t> to) {
  file_.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()));
  if (file_.bad()) fail("reading failed: " + std::generic_category().message(errno));
  return static_cast<std::size_t>(file_.gcount());
}

std::size_t ByteSource::inflate(std::span<std::uint8_t> to) {
  z_stream& stream = gzip_->stream;
  std::size_t done = 0;
  while (done < to.size() && !gzip_->ended) {
    if (stream.avail_in == 0) {
      const std::size_t size = read_file(gzip_->packed);
      if (size == 0) fail(message("the gzip stream is cut off at offset ", gzip_->offset(), " of the file"));
      gzip_->fetched += size;
      stream.next_in = gzip_->packed.data();
      stream.avail_in = static_cast<uInt>(size);
    }
    const std::size_t room = std::min<std::size_t>(to.size() - done, std::numeric_limits<uInt>::max());
    stream.next_out = to.data() + done;
    stream.avail_out = static_cast<uInt>(room);
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    done += room - stream.avail_out;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END)
      expect_end();
    else if (result != Z_OK && result != Z_BUF_ERROR)  // Z_BUF_ERROR: more input or room is needed
      fail(message("the gzip stream is damaged at offset ", gzip_->offset(),
                   " of the file: ", stream.msg ? stream.msg : "it needs a dictionary"));
  }
  return done;
}

void ByteSource::expect_end() {
  gzip_->ended = true;
  if (gzip_->offset() == file_size_) return;
  const std::string where = message(" at offset ", gzip_->offset(), " of ", file_size_);
  std::array<std::uint8_t, 2> next{};
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(gzip_->offset()));
  read_file(next);
  if (next[0] == 0x1f && next[1] == 0x8b)
    fail("expected one gzip member, got another" + where + ": unpack it and pack it again");
  fail("expected the end after the gzip stream, got more" + where);
}

}  // namespace xgrad::datasets
