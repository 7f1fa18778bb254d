# SPDX-License-Identifier: Apache-2.0
# Compiles C++ sources, as many at a time as `make -j` says and only what has changed, and links them. build/module_env.sh calls it:
#
#   SOURCES    the files to compile, with their whole paths
#   OBJECTS    a folder for what is made, of this compiler and these flags alone
#   OUTPUT     what is linked
#   CXX, CXXFLAGS, LDFLAGS

objects := $(SOURCES:%.cc=$(OBJECTS)%.o)
scripts := $(wildcard $(dir $(lastword $(MAKEFILE_LIST)))module* $(dir $(lastword $(MAKEFILE_LIST)))zig.sh)

$(OUTPUT): $(objects)
	$(CXX) $(CXXFLAGS) $^ -o $@ $(LDFLAGS)

$(OBJECTS)%.o: %.cc $(scripts)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@

-include $(objects:.o=.d)
