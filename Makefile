# make            libtask.a, libtask.so and the examples
# make demo       shows a server at work       } these two install
# make check      builds and runs all tests    } what is missing first
# make valgrind   the tests under Valgrind
# make bench      measures; make bench-peers  beside other libraries, with plots
# make counts     instructions that the common calls take
# make install    PREFIX=/usr/local DESTDIR=   make uninstall
#
# CONTEXT=asm|ucontext   how tasks are switched
# SAN=address|undefined|thread|address,undefined   with sanitizers
# PROBES=1               with probes for bpftrace, perf and gdb: task/probe.h
# CC=clang|musl-gcc   CFLAGS=-O3   V=1 shows the commands
# TESTFLAGS=-Og          for the tests alone: they compile sooner
# without='check_pq ..'  tests that are left out

CC ?= cc
ifeq ($(origin CXX),default)
CXX = $(patsubst cc,c++,$(subst gcc,g++,$(subst clang,clang++,$(CC))))
endif
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
VERSION = 1.0.0
SONAME = libtask.so.1

# The CPU that CC makes code for: arch/ has a file for it, or libc does the
# switching.
machine := $(shell $(CC) -dumpmachine 2>/dev/null)
cpu := $(firstword $(subst -, ,$(machine)))
arch := $(patsubst x86_64,amd64,$(patsubst aarch64,arm64,$(cpu)))
CONTEXT ?= $(if $(wildcard arch/$(arch).S),asm,ucontext)

# Each way to build has a directory of its own.
comma := ,
O := build/$(notdir $(CC))-$(CONTEXT)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if \
	$(PROBES),-probes)

# The library, from the ground up; of a directory all that is in it.
parts = machine/ context.c arch/sanitize.c task.c task/ coro/ poll/ fd.c fd/ \
	cron/ sync/ proc/ net/ inspect/ console/ run.c embed.c main.c
sources = $(foreach p,$(parts),\
	$(if $(filter %/,$p),$(sort $(wildcard $p*.c)),$p))
ifeq ($(CONTEXT),asm)
sources += arch/$(arch).S
else
defines += -DTASK_UCONTEXT
endif
objects = $(patsubst %,$O/%.o,$(basename $(sources)))

ifneq ($(PROBES),)
defines += -DTASK_PROBES
endif

ifneq ($(SAN),)
san = -fsanitize=$(SAN) -fno-omit-frame-pointer
endif

# Frames that are larger than the guard of a stack touch it all the same.
probes = -fstack-clash-protection

# One set of objects serves both libraries: when the linker makes a program of
# them, it makes their access to thread-local variables as cheap as it can be.
# In libtask.so musl's dlopen wants the dearest.
threadlocal = $(if $(findstring musl,$(CC) $(machine)),global-dynamic,initial-exec)
flags = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wmissing-prototypes \
	-Wstrict-prototypes -fPIC -ftls-model=$(threadlocal) -fvisibility=hidden \
	-fno-plt -fstack-usage $(probes) -MMD -MP $(defines) $(san) \
	$(CPPFLAGS) $(CFLAGS)
use = -std=c11 -D_GNU_SOURCE -Wall -Wextra $(probes) -I. -MMD -MP \
	$(san) $(CPPFLAGS) $(CFLAGS)

.DEFAULT_GOAL = all
include addons/addons.mk

examples = $(patsubst examples/%.c,$O/%,$(filter-out \
	$(noprograms:%=%.c),$(wildcard examples/*.c)))

# check_ tests know task.h only, white_ ones see inside, regress/ are bugs of
# once.  CXX=false leaves out what is in C++.
tests = $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/check_*.c \
	tests/white_*.c tests/regress/*.c)) $(if $(filter false,$(CXX)),,\
	$(patsubst tests/%.cc,$O/tests/%,$(wildcard tests/check_*.cc)))
runs = $(filter-out $(noprograms:%=$O/%) $(without:%=$O/tests/%),$(tests))
ifneq ($(findstring musl,$(CC)),)
tests =	# for Check is another libc's: tests/musl.sh does what it can
endif

# Programs beside the library: a terminal for the console, and a view.
attachers = $O/taskattach $O/tasktop

.PHONY: all examples demo rundemo check runtests valgrind install uninstall \
	clean FORCE
all: libtask.a libtask.so examples $(attachers)
examples: $(examples)

q = $(if $(V),,@echo "  $(1)  $(@:$O/%=%)";)

# The library's code has a section of its own, so that a program, and what looks
# at it, can tell it from the program's: see inspect/walk.c.
objcopy := $(shell $(CC) -print-prog-name=objcopy)
ours = $(objcopy) --rename-section .text=task_text \
	--rename-section .text.unlikely=task_text

$O/%.o: %.c
	@mkdir -p $(@D)
	$(call q,CC )$(CC) $(flags) -c $< -o $@ $(after) && $(ours) $@

# These must not be watched themselves: see there.
$O/arch/sanitize.o $O/machine/spawn.o: san =

$O/%.o: %.S
	@mkdir -p $(@D)
	$(call q,AS )$(CC) $(flags) -c $< -o $@ && $(ours) $@

# Of liburing the library has in it what it calls.  Who knows whether it is
# there is made again when it comes or goes.
uring := $(shell tools/uring find $(CC) -std=c11 -D_GNU_SOURCE \
	$(CPPFLAGS) $(CFLAGS))
calluring = machine/sys.c
knowuring = $(calluring) poll/uring.c poll/ask.c poll/pollers.c
$(knowuring:%.c=$O/%.o): $O/uring
$O/uring: FORCE
	@mkdir -p $(@D)
	@CC='$(CC)' tools/uring note $@ $(uring)

ifneq ($(uring),)
defines += -DTASK_URING
$(calluring:%.c=$O/%.o): flags += -fno-lto
$(calluring:%.c=$O/%.o): after = && CC='$(CC)' tools/uring join $@ $(uring)
endif

$O/libtask.a: $(objects)
	@rm -f $@
	$(call q,AR )$(AR) rcs $@ $^

$O/libtask.so: $(objects)
	$(call q,LD )$(CC) -shared -Wl,-soname,$(SONAME) -Wl,-z,nodelete $(san) $(LDFLAGS) $^ \
		-lpthread -o $@

all: $(addonlibs)

# Those at the root are the ones built last.
libtask.a libtask.so $(addonlibs): %: $O/% FORCE
	@cmp -s $< $@ || cp $< $@
	@ln -sf libtask.so $(SONAME)

# Not run.d: that is the object's.
$O/%: examples/%.c $O/libtask.a
	$(call q,CC )$(CC) $(use) -MF $@.example.d $< $(addonlib) $O/libtask.a \
		-lpthread $(LDFLAGS) -o $@

$O/taskattach: tools/taskattach.c
$O/tasktop: $(addprefix tools/,tasktop.c toprows.c topcolumns.c peek.c peekwhy.c \
	target.c toprows.h topcolumns.h peek.h target.h) inspect/layout.h task.h
$(attachers):
	@mkdir -p $(@D)
	$(call q,CC )$(CC) $(filter-out -MMD -MP,$(use)) $(filter %.c,$^) \
		$(LDFLAGS) -o $@

libcheck = $(shell pkg-config --cflags --libs check)
$O/tests/%: tests/%.c $O/libtask.a
	@mkdir -p $(@D)
	$(call q,CC )$(CC) $(use) $(TESTFLAGS) $(defines) -UNDEBUG -rdynamic $< \
		$(addonlib) $O/libtask.a $(libcheck) -lpthread $(LDFLAGS) -o $@

# The loops that a scheduler is tried in, where they are.
with = $(shell pkg-config --exists $1 && \
	echo -DWITH_$2 `pkg-config --cflags --libs $1`)
$O/tests/check_embedin: libcheck += $(call with,libuv,UV) \
	$(call with,glib-2.0,GLIB)

$O/tests/%: tests/%.cc $O/libtask.a
	@mkdir -p $(@D)
	$(call q,CXX)$(CXX) $(filter-out -std=c11,$(use)) -rdynamic $< \
		$O/libtask.a $(libcheck) -lpthread $(LDFLAGS) -o $@

# What tests load while they run.
$O/tests/%.so: tests/%.cc
	@mkdir -p $(@D)
	$(call q,CXX)$(CXX) -shared -fPIC $(filter-out -std=c11,$(use)) $< -o $@

ifneq ($(CXX),false)
$O/tests/regress/cxx-comes-later: | $O/tests/regress/plugin-in-cxx.so
endif

# Where the compiler has just been installed, what was asked of it above must be
# asked again: so these two start another make.
demo:
	@tools/need cc
	@$(MAKE) --no-print-directory rundemo

rundemo: all
	@tools/demo $O

needs = cc c++ pkg-config check wanted liburing libcares openssl libwslay llhttp \
	libuv glib-2.0 gdb mandoc python3 websockets sdt curl nginx nats-server \
	hiredis redis-server libpq postgresql libzmq jansson
check:
	@tools/need $(needs)
	@$(MAKE) --no-print-directory runtests

scripts ?= $(wildcard tests/*.sh)
runtests: all $(runs)
	@O=$O CC="$(CC)" CXX="$(CXX)" CFLAGS="$(CFLAGS)" \
		CONTEXT=$(CONTEXT) SAN=$(SAN) ONCE="$(addonruns)" \
		tests/run $(runs) $(scripts)

# The servers that tests start are not what is to be watched.
servers = nats-server redis-server initdb postgres
skip := $(subst $() $(),$(comma),$(servers:%=*/%))
valgrind:
	@tools/need valgrind $(needs)
	@RUN="valgrind -q --trace-children=yes --error-exitcode=9 \
		--leak-check=full --trace-children-skip=$(skip) \
		--suppressions=$(CURDIR)/tests/valgrind.supp" \
		CK_TIMEOUT_MULTIPLIER=20 $(MAKE) --no-print-directory runtests

include bench/bench.mk

lib = $(DESTDIR)$(PREFIX)/lib
include = $(DESTDIR)$(PREFIX)/include
man = $(DESTDIR)$(PREFIX)/share/man
# Where gdb looks for what belongs to a library, if PREFIX is also gdb's.
autoload = $(DESTDIR)$(PREFIX)/share/gdb/auto-load$(PREFIX)/lib
pages = $(filter-out $(alladdons:%=man/%.3),$(wildcard man/*.[137]))
bin = $(DESTDIR)$(PREFIX)/bin

define pc
prefix=$(PREFIX)
Name: libtask
Description: Cooperative tasks, channels and sockets
Version: $(VERSION)
Cflags: -I$${prefix}/include $(probes)
Libs: -L$${prefix}/lib -ltask
Libs.private: -lpthread
endef
export pc

install: all installaddons
	mkdir -p $(lib)/pkgconfig $(include) $(bin) \
		$(man)/man1 $(man)/man3 $(man)/man7
	install -m 755 $(attachers) $(bin)
	install -m 644 task.h $(include)/task.h
	install -m 644 $O/libtask.a $(lib)/libtask.a
	install -m 755 $O/libtask.so $(lib)/libtask.so.$(VERSION)
	ln -sf libtask.so.$(VERSION) $(lib)/$(SONAME)
	ln -sf $(SONAME) $(lib)/libtask.so
	printf '%s\n' "$$pc" >$(lib)/pkgconfig/libtask.pc
	mkdir -p $(autoload)
	install -m 644 tools/libtask-gdb.py \
		$(autoload)/libtask.so.$(VERSION)-gdb.py
	for p in $(pages); do install -m 644 $$p $(man)/man$${p##*.}/; done

uninstall: uninstalladdons
	rm -f $(attachers:$O/%=$(bin)/%)
	rm -f $(include)/task.h $(lib)/libtask.a $(lib)/libtask.so \
		$(lib)/$(SONAME) $(lib)/libtask.so.$(VERSION) \
		$(lib)/pkgconfig/libtask.pc \
		$(autoload)/libtask.so.$(VERSION)-gdb.py
	for p in $(pages); do rm -f $(man)/man$${p##*.}/$${p##*/}; done

clean:
	rm -rf build libtask.a libtask.so $(SONAME) $(alladdons:%=libtask%.a)

-include $(objects:.o=.d) $(addonobjects:.o=.d) $(examples:=.example.d) $(tests:=.d) \
	$(wildcard $O/tests/fuzz*.d)
