// The encoded terminal modes of RFC 4254 section 8 as termios(3). Opcode numbers are the RFC's; IUTF8 is RFC 8160's.
#include <array>
#include <termios.h>

#include "pty.h"

namespace sallyport {
namespace {

/// Which part of termios an opcode sets.
enum class Part { Character, Input, Local, Output, Control };
struct Mode {
  uint8_t opcode;
  Part part;
  tcflag_t bits; ///< or the index in c_cc
};

constexpr std::array kModes = std::to_array<Mode>({
    {1, Part::Character, VINTR},   {2, Part::Character, VQUIT},    {3, Part::Character, VERASE},
    {4, Part::Character, VKILL},   {5, Part::Character, VEOF},     {6, Part::Character, VEOL},
    {7, Part::Character, VEOL2},   {8, Part::Character, VSTART},   {9, Part::Character, VSTOP},
    {10, Part::Character, VSUSP},  {12, Part::Character, VREPRINT}, {13, Part::Character, VWERASE},
    {14, Part::Character, VLNEXT}, {16, Part::Character, VSWTC},   {18, Part::Character, VDISCARD},
    {30, Part::Input, IGNPAR},     {31, Part::Input, PARMRK},      {32, Part::Input, INPCK},
    {33, Part::Input, ISTRIP},     {34, Part::Input, INLCR},       {35, Part::Input, IGNCR},
    {36, Part::Input, ICRNL},      {37, Part::Input, IUCLC},       {38, Part::Input, IXON},
    {39, Part::Input, IXANY},      {40, Part::Input, IXOFF},       {41, Part::Input, IMAXBEL},
    {42, Part::Input, IUTF8},      {50, Part::Local, ISIG},        {51, Part::Local, ICANON},
    {52, Part::Local, XCASE},      {53, Part::Local, ECHO},        {54, Part::Local, ECHOE},
    {55, Part::Local, ECHOK},      {56, Part::Local, ECHONL},      {57, Part::Local, NOFLSH},
    {58, Part::Local, TOSTOP},     {59, Part::Local, IEXTEN},      {60, Part::Local, ECHOCTL},
    {61, Part::Local, ECHOKE},     {62, Part::Local, PENDIN},      {70, Part::Output, OPOST},
    {71, Part::Output, OLCUC},     {72, Part::Output, ONLCR},      {73, Part::Output, OCRNL},
    {74, Part::Output, ONOCR},     {75, Part::Output, ONLRET},     {90, Part::Control, CS7},
    {91, Part::Control, CS8},      {92, Part::Control, PARENB},    {93, Part::Control, PARODD},
});
constexpr uint8_t kEnd = 0, kInputSpeed = 128, kOutputSpeed = 129, kFirstUndefined = 160;
/// The RFC's 255 "character is disabled".
constexpr uint32_t kDisabled = 255;

struct Speed {
  uint32_t baud;
  speed_t code;
};
constexpr std::array kSpeeds = std::to_array<Speed>({
    {0, B0},         {50, B50},       {75, B75},       {110, B110},     {134, B134},       {150, B150},
    {200, B200},     {300, B300},     {600, B600},     {1200, B1200},   {1800, B1800},     {2400, B2400},
    {4800, B4800},   {9600, B9600},   {19200, B19200}, {38400, B38400}, {57600, B57600},   {115200, B115200},
    {230400, B230400}, {460800, B460800}, {921600, B921600},
});

void SetBits(tcflag_t &flags, const Mode &mode, bool on) noexcept {
  // CS7 and CS8 are values of one field, and only switching them on says which.
  if (mode.bits == CS7 || mode.bits == CS8) {
    if (mode.part == Part::Control && on) flags = (flags & ~static_cast<tcflag_t>(CSIZE)) | mode.bits;
    if (mode.part == Part::Control) return;
  }
  flags = on ? flags | mode.bits : flags & ~mode.bits;
}

void Apply(termios &terminal, uint8_t opcode, uint32_t value) noexcept {
  if (opcode == kInputSpeed || opcode == kOutputSpeed) {
    for (const Speed &speed : kSpeeds) {
      if (speed.baud != value) continue;
      if (opcode == kInputSpeed) cfsetispeed(&terminal, speed.code);
      else cfsetospeed(&terminal, speed.code);
    }
    return;
  }
  for (const Mode &mode : kModes) {
    if (mode.opcode != opcode) continue;
    switch (mode.part) {
    case Part::Character:
      terminal.c_cc[mode.bits] = static_cast<cc_t>(value == kDisabled ? _POSIX_VDISABLE : value);
      break;
    case Part::Input: SetBits(terminal.c_iflag, mode, value != 0); break;
    case Part::Local: SetBits(terminal.c_lflag, mode, value != 0); break;
    case Part::Output: SetBits(terminal.c_oflag, mode, value != 0); break;
    case Part::Control: SetBits(terminal.c_cflag, mode, value != 0); break;
    }
  }
}

} // namespace

Status SetTerminalModes(int fd, const uint8_t *modes, size_t length) noexcept {
  termios terminal{};
  if (tcgetattr(fd, &terminal) < 0) return Failed("tcgetattr");
  for (size_t at = 0; at < length && modes[at] != kEnd && modes[at] < kFirstUndefined; at += 5) {
    if (length - at < 5) break;
    const uint32_t value = static_cast<uint32_t>(modes[at + 1]) << 24 | static_cast<uint32_t>(modes[at + 2]) << 16 |
                           static_cast<uint32_t>(modes[at + 3]) << 8 | modes[at + 4];
    Apply(terminal, modes[at], value);
  }
  if (tcsetattr(fd, TCSANOW, &terminal) < 0) return Failed("tcsetattr");
  return Done();
}

} // namespace sallyport
