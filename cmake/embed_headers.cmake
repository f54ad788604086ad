# cmake -DOUTPUT=FILE -DHEADERS=A;B -P embed_headers.cmake: a C++ source that holds the text of headers.
set(entries "")
foreach(header IN LISTS HEADERS)
  get_filename_component(name ${header} NAME)
  if(header MATCHES "/(matgrad/[a-z_]+\\.hpp)$")
    set(name ${CMAKE_MATCH_1})
  endif()
  file(READ ${header} text)
  string(APPEND entries "    {\"${name}\", R\"matgrad(${text})matgrad\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"cuda/kernel_source.hpp\"

namespace matgrad::gpu {
namespace {
constexpr EmbeddedHeader kHeaders[] = {
${entries}};
}  // namespace

std::span<const EmbeddedHeader> embedded_headers() {
    return kHeaders;
}

}  // namespace matgrad::gpu
")
