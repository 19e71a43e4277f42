/* SPDX-License-Identifier: MIT */
/* WebSocket: what texts and codes may be. */
#include "wsinside.h"
#include <string.h>

int
ws_validcode(int code)
{
	return (code >= 1000 && code <= 1003) ||
		(code >= 1007 && code <= 1014) ||
		(code >= 3000 && code <= 4999);
}

/* The first byte of a character tells how many follow, and what the next is. */
static int
firstbyte(Utf8 *u, unsigned char c)
{
	if(c < 0xc2 || c > 0xf4)
		return -1;
	u->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	u->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return 0;
}

/* returns how many bytes of v are ASCII at least. */
static size_t
asciis(const char *v, size_t n)
{
	size_t i = 0;
	uint64_t x;

	for(; n - i >= sizeof x; i += sizeof x){
		memcpy(&x, v + i, sizeof x);
		if(x & 0x8080808080808080)
			break;
	}
	return i;
}

int
ws_utf8(Utf8 *u, const char *v, size_t n)
{
	for(size_t i = 0; i < n; i++){
		if(u->left == 0)
			i += asciis(v + i, n - i);
		if(i == n)
			break;
		unsigned char c = (unsigned char)v[i];
		if(u->left > 0){
			if(c < u->low || c > u->high)
				return -1;
			u->left--;
			u->low = 0x80;
			u->high = 0xbf;
		}else if(c >= 0x80 && firstbyte(u, c) < 0)
			return -1;
	}
	return 0;
}
