# cmake -DOUTPUT=FILE -DSUITES=A;B -P embed_suites.cmake: a C++ source that holds the text of suites.
set(entries "")
foreach(suite IN LISTS SUITES)
  get_filename_component(name ${suite} NAME_WE)
  file(READ ${suite} text)
  string(APPEND entries "    {\"${name}\", R\"matgrad(${text})matgrad\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"bench/suite.hpp\"

namespace matgrad::bench {
namespace {
constexpr EmbeddedSuite kSuites[] = {
${entries}};
}  // namespace

std::span<const EmbeddedSuite> embedded_suites() {
    return kSuites;
}

}  // namespace matgrad::bench
")
