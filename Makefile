# make          builds libtask.a, libtask.so and the examples
# make check    builds and runs all tests; installs what is missing first
# make demo     shows a server at work; installs what is missing first
# make bench    measures
# make install  PREFIX=/usr/local DESTDIR=
#
# CONTEXT=asm|ucontext  how tasks are switched
# SAN=address|undefined|thread|address,undefined  builds with sanitizers
# CC=gcc|clang  CFLAGS=...  CROSS=aarch64-linux-gnu-  RUN='qemu-aarch64 -L ...'

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
VERSION = 1.0.0
SONAME = libtask.so.1

# The CPU that the compiler makes code for; arch/ has a file for it, or libc does.
cpu := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
arch := $(patsubst x86_64,amd64,$(patsubst aarch64,arm64,$(cpu)))
CONTEXT ?= $(if $(wildcard arch/$(arch).S),asm,ucontext)

# Each way to build has a directory of its own.
comma := ,
O := build/$(subst /,_,$(CC))-$(CONTEXT)$(if $(SAN),-$(subst $(comma),-,$(SAN)))

sources = sys.c context.c watch.c stack.c sleep.c task.c self.c fd.c fdio.c \
	$(sort $(wildcard poll/*.c sync/*.c net/*.c inspect/*.c)) run.c main.c
ifeq ($(CONTEXT),asm)
sources += arch/$(arch).S
else
defines += -DTASK_UCONTEXT
endif
ifneq ($(SAN),)
san = -fsanitize=$(SAN) -fno-omit-frame-pointer
defines += $(if $(findstring address,$(SAN))$(findstring thread,$(SAN)),-DTASK_WATCH)
endif
objects = $(patsubst %,$O/%.o,$(basename $(sources)))

# One set of objects serves both libraries; the linker makes the thread-local access
# of the static one as cheap as it can be.
flags = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wmissing-prototypes \
	-Wstrict-prototypes -fPIC -ftls-model=initial-exec -fvisibility=hidden \
	-fno-plt -MMD -MP $(defines) $(san)

examples = $(patsubst examples/%.c,$O/%,$(wildcard examples/*.c))

.PHONY: all check demo bench valgrind install uninstall clean FORCE
.DEFAULT_GOAL = all

all: libtask.a libtask.so $(examples)

$O/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(flags) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$O/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(flags) $(CPPFLAGS) -c $< -o $@

$O/libtask.a: $(objects)
	rm -f $@
	$(AR) rcs $@ $^

$O/$(SONAME): $(objects)
	$(CC) -shared -Wl,-soname,$(SONAME) $(san) $(LDFLAGS) $^ -lpthread -o $@

# At the root are those that were built last.
libtask.a: $O/libtask.a FORCE
	@cmp -s $< $@ || cp $< $@
libtask.so: $O/$(SONAME) FORCE
	@cmp -s $< $@ || cp $< $@
	@ln -sf libtask.so $(SONAME)

$O/%: examples/%.c $O/libtask.a
	$(CC) -std=c11 -Wall -Wextra -I. $(CPPFLAGS) $(CFLAGS) $(san) $< $O/libtask.a -lpthread -o $@

# Tests: check_ ones know task.h only, white_ ones see inside, regress/ are bugs.
tests = $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/check_*.c \
	tests/white_*.c tests/regress/*.c))

$O/tests/%: tests/%.c $O/libtask.a
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -I. $(CPPFLAGS) $(CFLAGS) $(san) \
		-UNDEBUG -rdynamic -MMD -MP $< $O/libtask.a \
		$(shell pkg-config --cflags --libs check) -lpthread -o $@

check: libtask.a libtask.so $(examples) $(tests)
	@RUN='$(RUN)' tests/run $(tests)

benches = $(patsubst bench/%.c,$O/bench/%,$(wildcard bench/*.c)) \
	$(if $(wildcard /usr/include/boost/context/fiber.hpp),$O/bench/fcontext)

$O/bench/%: bench/%.c bench/bench.h $O/libtask.a
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -I. $(CPPFLAGS) $(CFLAGS) $(san) \
		$< $O/libtask.a -lpthread -o $@

$O/bench/%: bench/%.cc
	@mkdir -p $(@D)
	$(CXX) -Wall -Wextra $(CPPFLAGS) $(CXXFLAGS) -O2 $< -lboost_context -o $@

bench: $(benches)
	@bench/run $(benches)

clean:
	rm -rf build libtask.a libtask.so $(SONAME) libtask.pc

-include $(objects:.o=.d) $(tests:=.d)
