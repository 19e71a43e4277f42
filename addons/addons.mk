# Adapters to other libraries: each a library of its own, libtaskNAME.a, that is
# built and installed if the other library is there.  One has a directory here,
# with a header taskNAME.h and an addon.mk that says, of an addon a:
#
# a          what it takes to compile and link with the other library; nothing
#            if that is not there: then the addon is not built
# aabout     what it is, in a line
# arequires  the other library's package, as pkg-config knows it
# alibs      libraries that pkg-config does not know
# aon        addons that it is built on
# aprograms  those of tests/ and examples/ that are linked with it
# aprints    what the first program of its page prints, if it is called with
#            127.0.0.1: patterns, with | between them
# aobjects   objects beside those of its directory
# aprints    what the first program of its page prints, if it is called with 127.0.0.1
#
# lacking has programs that want one more library, which is not here.
alladdons := $(patsubst addons/%/addon.mk,%,$(sort $(wildcard addons/*/addon.mk)))
include $(alladdons:%=addons/%/addon.mk)

built = $(if $($1),$(if $(filter-out 1,$(foreach a,$($1on),$(or $(call \
	built,$a),0))),,1))
addons := $(foreach a,$(alladdons),$(if $(call built,$a),$a))
noaddons := $(filter-out $(addons),$(alladdons))
addonlibs = $(addons:%=libtask%.a)
# These know nothing of pollers: they are tried on one.
addonruns = $(foreach a,$(addons),$(patsubst tests/%,$O/tests/%,$(filter \
	tests/check_%,$($aprograms))))
# TSan makes examples so slow that their deadlines pass.
tooslow = $(if $(filter thread,$(SAN)),tests/check_webexamples tests/check_chat)
noprograms = $(tooslow) $(foreach a,$(noaddons),$($aprograms)) $(lacking)
lacks = $(strip $(noaddons:%=addons/%) $(lacking))
$(if $(lacks),$(if $(filter link-%,$(MAKECMDGOALS)),,$(info \
	Not built, for what they need is not here: $(lacks))))

# where a program finds the headers of addon $1 and of those it is built on
headers = -Iaddons/$1$(foreach a,$($1on), $(call headers,$a))

# what a program needs to be linked with addon $1, in the linker's order
link = $O/libtask$1.a $(foreach a,$($1on),$(call link,$a)) $($1)

# A program may have them in what it loads later.
$O/addons/%.o: threadlocal = global-dynamic
$O/addons/%.o: flags += -I. $(addons:%=-Iaddons/%)

define addonrules
$1objects += $$(patsubst %.c,$$O/%.o,$$(sort $$(wildcard addons/$1/*.c)))
addonobjects += $$($1objects)
$$($1objects): flags += $$(filter-out -l% -L%,$$($1))
$$O/libtask$1.a: $$($1objects)
	@rm -f $$@
	$$(call q,AR )$$(AR) rcs $$@ $$^
$$($1programs:%=$$O/%) $$(patsubst examples/%,$$O/%,$$($1programs)): \
	$$O/libtask$1.a $$($1on:%=$$O/libtask%.a)
$$($1programs:%=$$O/%) $$(patsubst examples/%,$$O/%,$$($1programs)): \
	addonlib += -Iaddons/$1 $$(call link,$1)

define $1pc
prefix=$$(PREFIX)
Name: libtask$1
Description: $$($1about)
Version: $$(VERSION)
Requires: $$($1on:%=libtask%) libtask $$($1requires)
Cflags: -I$$$${prefix}/include
Libs: -L$$$${prefix}/lib -ltask$1 $$($1libs)
endef
export $1pc
endef
$(foreach a,$(addons),$(eval $(call addonrules,$a)))

.PHONY: installaddons uninstalladdons $(alladdons:%=install-%) $(alladdons:%=link-%)
installaddons: $(addons:%=install-%)
$(addons:%=install-%): install-%: libtask%.a
	mkdir -p $(lib)/pkgconfig $(include) $(man)/man3
	install -m 644 addons/$*/task$*.h $(include)/task$*.h
	install -m 644 $O/libtask$*.a $(lib)/libtask$*.a
	install -m 644 man/$*.3 $(man)/man3/$*.3
	printf '%s\n' "$$$*pc" >$(lib)/pkgconfig/libtask$*.pc

uninstalladdons:
	for a in $(alladdons); do rm -f $(include)/task$$a.h $(lib)/libtask$$a.a \
		$(man)/man3/$$a.3 $(lib)/pkgconfig/libtask$$a.pc; done

# prints how a program is compiled with an addon; nothing without that
$(alladdons:%=link-%): link-%:
	@echo '$(if $(filter $*,$(addons)),$(call headers,$*) $(call link,$*))'
