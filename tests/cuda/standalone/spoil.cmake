# cmake -DFROM=FILE -DTO=FILE -P spoil.cmake: the same file with one entry of the gradient wrong by 1%.
file(READ ${FROM} text)
set(store "store_[a-z_]*result<[Team, ]*[a-z]+>\\(args, [0-9]+, problems?, (stage, )?status, ")
string(REGEX REPLACE "(${store}v[0-9]+\\);\n +)(${store})(v[0-9]+)"
  "\\1if (Team::rank() == 0) {\n            \\5.set(0, 0, \\5.get(0, 0) * 1.01f);\n        }\n        Team::sync();\n        \\3\\5"
  spoiled "${text}")
if(spoiled STREQUAL text)
  message(FATAL_ERROR "${FROM}: no results are stored one after the other")
endif()
file(WRITE ${TO} "${spoiled}")
