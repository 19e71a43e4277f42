tls := $(shell tools/addon openssl openssl/ssl.h SSL_get1_peer_certificate \
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
tlsabout = TLS on streams, by OpenSSL
tlsrequires = openssl
tlsprograms = tests/check_tls tests/check_tlspeers tests/check_tlsserve \
	tests/check_tlsmemory tests/check_httptls \
	tests/check_files examples/files bench/tlsserve bench/tlsload \
	bench/hostile tests/check_hostile
tlsprints = 127.0.0.1: Connection refused
