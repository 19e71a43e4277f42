# Adapters to other libraries: each a library of its own, libtask-cares.a, that
# is built and installed if the other library is there.
alladdons = cares

cares := $(shell tools/addon libcares ares.h ares_getaddrinfo \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
ifneq ($(cares),)
addons += cares
$O/tests/check_cares: $O/libtask-cares.a
$O/tests/check_cares: addonlib = $O/libtask-cares.a $(cares)
endif

addonlibs = $(addons:%=libtask-%.a)
noaddons = $(filter-out $(addons),$(alladdons))
caresobjects = $(patsubst %.c,$O/%.o,$(sort $(wildcard addons/cares*.c)))
addonobjects = $(foreach a,$(addons),$($aobjects))

# A program may have them in what it loads later.
$O/addons/%.o: tls = global-dynamic
$O/addons/%.o: flags += -I.
$(caresobjects): flags += $(filter-out -l% -L%,$(cares))

$O/libtask-cares.a: $(caresobjects)
	@rm -f $@
	$(call q,AR )$(AR) rcs $@ $^

define carespc
prefix=$(PREFIX)
Name: libtask-cares
Description: Names that tasks look up with c-ares
Version: $(VERSION)
Requires: libtask libcares
Cflags: -I$${prefix}/include
Libs: -L$${prefix}/lib -ltask-cares
endef
export carespc

.PHONY: installaddons uninstalladdons $(alladdons:%=install-%)
installaddons: $(addons:%=install-%)
$(alladdons:%=install-%): install-%: libtask-%.a
	mkdir -p $(lib)/pkgconfig $(include) $(man)/man3
	install -m 644 addons/$*.h $(include)/$*.h
	install -m 644 $O/libtask-$*.a $(lib)/libtask-$*.a
	install -m 644 man/$*.3 $(man)/man3/$*.3
	printf '%s\n' "$$$*pc" >$(lib)/pkgconfig/libtask-$*.pc

uninstalladdons:
	for a in $(alladdons); do rm -f $(include)/$$a.h $(lib)/libtask-$$a.a \
		$(man)/man3/$$a.3 $(lib)/pkgconfig/libtask-$$a.pc; done
