# cmake -DOUTPUT=FILE -DFILES=A;B -DNAMES=NAME|NAME_WE -DINCLUDE=HEADER -DNAMESPACE=SPACE -DTYPE=TYPE
#   -DFUNCTION=NAME -P embed_texts.cmake
# A C++ source that holds the text of files: FUNCTION gives a span of TYPE, a name and a text. The name is that
# of the file, with its extension (NAME) or without (NAME_WE); a public header is matgrad/NAME.
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} ${NAMES})
  if(file MATCHES "/(matgrad/[a-z_]+\\.hpp)$")
    set(name ${CMAKE_MATCH_1})
  endif()
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"matgrad(${text})matgrad\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"${INCLUDE}\"

namespace ${NAMESPACE} {
namespace {
constexpr ${TYPE} kTexts[] = {
${entries}};
}  // namespace

std::span<const ${TYPE}> ${FUNCTION}() {
    return kTexts;
}

}  // namespace ${NAMESPACE}
")
