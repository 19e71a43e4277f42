/* SPDX-License-Identifier: MIT */
/*
 * What a peer sends, and what comes of it: what wsread gives, and what the peer
 * gets; nothing: 88m<03e8>, which wsclose sends when the peer has just gone.
 */
#ifndef WSTABLE_H
#define WSTABLE_H

typedef struct Case
{
	const char *in;
	const char *gives;
	const char *out;
	size_t limit;	/* of a message */
} Case;

#define GONE " ECONNRESET", NULL, 0
#define LOST " ECONNRESET"
#define ENDED "ECONNRESET", NULL, 0
#define BROKEN "EPROTO", "88m<03ea>", 0
#define NOTEXT "EILSEQ", "88m<03ef>", 0
#define TOOBIG "EMSGSIZE", "88m<03f1>"

static const Case lengths[] = {
	{"", ENDED},
	{"81m''", "T''" GONE},
	{"81m'a'", "T'a'" GONE},
	{"81m'Hello'", "T'Hello'" GONE},
	{"81m*124", "T*124" GONE},
	{"81m*125", "T*125" GONE},
	{"81m*126", "T*126" GONE},
	{"81m*127", "T*127" GONE},
	{"81m*128", "T*128" GONE},
	{"81m*4095", "T*4095" GONE},
	{"81m*4096", "T*4096" GONE},
	{"81m*4097", "T*4097" GONE},
	{"81m*65535", "T*65535" GONE},
	{"81m*65536", "T*65536" GONE},
	{"81m*65537", "T*65537" GONE},
	{"82m''", "B''" GONE},
	{"82m<00>", "B<00>" GONE},
	{"82m<00ff80fe>", "B<00ff80fe>" GONE},
	{"82m*125", "B*125" GONE},
	{"82m*126", "B*126" GONE},
	{"82m*127", "B*127" GONE},
	{"82m*65535", "B*65535" GONE},
	{"82m*65536", "B*65536" GONE},
	{"81m'a' 82m'b' 81m'' 81m'c'", "T'a' B'b' T'' T'c'" GONE},
	{"81m*200 82m*70000 81m'c'", "T*200 B*70000 T'c'" GONE},
	/* a length in more bytes than it needs */
	{"81m~2'abc'", BROKEN},
	{"82m~2*125", BROKEN},
	{"81m~2''", BROKEN},
	{"81m~8'abc'", BROKEN},
	{"81m~8*126", BROKEN},
	{"82m~8*65535", BROKEN},
};

static const Case parts[] = {
	{"01m'Hel' 80m'lo'", "T'Hello'" GONE},
	{"02m'Hel' 80m'lo'", "B'Hello'" GONE},
	{"01m'H' 00m'e' 00m'l' 00m'l' 80m'o'", "T'Hello'" GONE},
	{"01m'' 80m''", "T''" GONE},
	{"01m'' 00m'' 80m'a'", "T'a'" GONE},
	{"01m'a' 00m'' 80m''", "T'a'" GONE},
	{"01m'' 00m'a' 00m'' 80m'b'", "T'ab'" GONE},
	{"02m*65536 80m*65536", "B*131072" GONE},
	{"01m'a' 80m'b' 81m'c'", "T'ab' T'c'" GONE},
	{"01m'a' 80m'b' 01m'c' 80m'd'", "T'ab' T'cd'" GONE},
	{"01m'a' 89m'p' 80m'b'", "T'ab'" LOST, "8am'p' 88m<03e8>", 0},
	{"01m'a' 89m'p' 00m'b' 89m'q' 80m'c'",
		"T'abc'" LOST, "8am'p' 8am'q' 88m<03e8>", 0},
	{"01m'a' 8am'' 80m'b'", "T'ab'" GONE},
	{"01m'a' 8am'x' 00m'' 8am*125 80m'b'", "T'ab'" GONE},
	{"01m'a' 88m<03e8>", "closed 1000", "88m<03e8>", 0},
	{"01m'a' 00m'b' 88m<03e9>", "closed 1001", "88m<03e9>", 0},
	{"80m'a'", BROKEN},
	{"00m'a'", BROKEN},
	{"80m''", BROKEN},
	{"81m'a' 80m'b'", "T'a' " BROKEN},
	{"01m'a' 80m'b' 80m'c'", "T'ab' " BROKEN},
	{"01m'a' 81m'b'", BROKEN},
	{"01m'a' 82m'b'", BROKEN},
	{"01m'a' 01m'b'", BROKEN},
	{"02m'a' 02m'b'", BROKEN},
	{"01m'a' 00m'b' 81m'c'", BROKEN},
	{"89m'' 80m'a'", "EPROTO", "8am'' 88m<03ea>", 0},
};

static const Case heads[] = {
	/* no mask where one belongs, or one where none does */
	{"81u'a'", BROKEN},
	{"81u''", BROKEN},
	{"82u*200", BROKEN},
	{"01u'a'", BROKEN},
	{"89u''", BROKEN},
	{"8au''", BROKEN},
	{"88u<03e8>", BROKEN},
	{"81m'a' 81u'b'", "T'a' " BROKEN},
	{"01m'a' 80u'b'", BROKEN},
	/* bits that are reserved */
	{"91m'a'", BROKEN},
	{"a1m'a'", BROKEN},
	{"c1m'a'", BROKEN},
	{"f1m'a'", BROKEN},
	{"c2m'a'", BROKEN},
	{"c9m''", BROKEN},
	{"9am''", BROKEN},
	{"a8m<03e8>", BROKEN},
	{"01m'a' c0m'b'", BROKEN},
	{"81m'a' c1m'b'", "T'a' " BROKEN},
	/* kinds that are */
	{"83m''", BROKEN},
	{"84m'a'", BROKEN},
	{"85m'a'", BROKEN},
	{"86m'a'", BROKEN},
	{"87m*200", BROKEN},
	{"03m'a'", BROKEN},
	{"8bm''", BROKEN},
	{"8cm'a'", BROKEN},
	{"8dm'a'", BROKEN},
	{"8em'a'", BROKEN},
	{"8fm*125", BROKEN},
	{"0bm''", BROKEN},
	{"01m'a' 83m'b'", BROKEN},
	{"01m'a' 8bm''", BROKEN},
};

static const Case controls[] = {
	{"89m''", "ECONNRESET", "8am'' 88m<03e8>", 0},
	{"89m'x'", "ECONNRESET", "8am'x' 88m<03e8>", 0},
	{"89m<00ff>", "ECONNRESET", "8am<00ff> 88m<03e8>", 0},
	{"89m*124", "ECONNRESET", "8am*124 88m<03e8>", 0},
	{"89m*125", "ECONNRESET", "8am*125 88m<03e8>", 0},
	{"89m*126", BROKEN},
	{"89m*65536", BROKEN},
	{"89m~2'a'", BROKEN},
	{"09m''", BROKEN},
	{"09m'a' 80m'b'", BROKEN},
	{"8am''", ENDED},
	{"8am'x' 8am'y'", ENDED},
	{"8am*125", ENDED},
	{"8am*126", BROKEN},
	{"0am''", BROKEN},
	{"89m'1' 89m'2' 89m'3' 81m'a' 89m'4'",
		"T'a'" LOST, "8am'1' 8am'2' 8am'3' 8am'4' 88m<03e8>", 0},
	{"89m'1' 88m<03e8>", "closed 1000", "8am'1' 88m<03e8>", 0},
	{"81m'a' 89m*125 8am'b' 82m'c'",
		"T'a' B'c'" LOST, "8am*125 88m<03e8>", 0},
};

static const Case goodtexts[] = {
	{"81m<00>", "T<00>" GONE},
	{"81m<7f>", "T<7f>" GONE},
	{"81m<c280>", "T<c280>" GONE},
	{"81m<dfbf>", "T<dfbf>" GONE},
	{"81m<e0a080>", "T<e0a080>" GONE},
	{"81m<ed9fbf>", "T<ed9fbf>" GONE},
	{"81m<ee8080>", "T<ee8080>" GONE},
	{"81m<efbfbd>", "T<efbfbd>" GONE},
	{"81m<efbfbf>", "T<efbfbf>" GONE},
	{"81m<f0908080>", "T<f0908080>" GONE},
	{"81m<f48fbfbf>", "T<f48fbfbf>" GONE},
	{"81m<cebae1bdb9cf83cebcceb5>",
		"T<cebae1bdb9cf83cebcceb5>" GONE},
	{"01m<c3> 80m<a9>", "T<c3a9>" GONE},
	{"01m<e2> 00m<82> 80m<ac>", "T<e282ac>" GONE},
	{"01m<f0> 00m<90> 00m<8d> 80m<88>", "T<f0908d88>" GONE},
	{"01m<c3> 00m'' 80m<a9>", "T<c3a9>" GONE},
	{"01m<c3> 89m<ff> 80m<a9>", "T<c3a9>" LOST, "8am<ff> 88m<03e8>", 0},
	{"82m<ff> 81m'a'", "B<ff> T'a'" GONE},
	{"02m<c3> 80m<28>", "B<c328>" GONE},
};

static const Case badtexts[] = {
	{"81m<80>", NOTEXT},
	{"81m<bf>", NOTEXT},
	{"81m<c0af>", NOTEXT},
	{"81m<c1bf>", NOTEXT},
	{"81m<c3>", NOTEXT},
	{"81m<c328>", NOTEXT},
	{"81m<c3c3a9>", NOTEXT},
	{"81m<e080af>", NOTEXT},
	{"81m<e282>", NOTEXT},
	{"81m<e28228>", NOTEXT},
	{"81m<eda080>", NOTEXT},
	{"81m<edbfbf>", NOTEXT},
	{"81m<f08080af>", NOTEXT},
	{"81m<f08fbfbf>", NOTEXT},
	{"81m<f0908d>", NOTEXT},
	{"81m<f4908080>", NOTEXT},
	{"81m<f5808080>", NOTEXT},
	{"81m<f888808080>", NOTEXT},
	{"81m<fe>", NOTEXT},
	{"81m<ff>", NOTEXT},
	{"81m'abcdefgh'<ff>'ijklmnop'", NOTEXT},
	{"81m*1000<ff>", NOTEXT},
	{"81m*4095<c3>'a'", NOTEXT},
	{"01m<ff>", NOTEXT},
	{"01m<e2> 80m<28>", NOTEXT},
	{"01m<c3> 80m''", NOTEXT},
	{"01m'a' 00m<c3> 80m'b'", NOTEXT},
	{"81m<c3a9> 81m<a9>", "T<c3a9> " NOTEXT},
};

static const Case closes[] = {
	{"88m''", "closed 1005", "88m''", 0},
	{"88m<03e8>", "closed 1000", "88m<03e8>", 0},
	{"88m<03e9>", "closed 1001", "88m<03e9>", 0},
	{"88m<03ea>", "closed 1002", "88m<03ea>", 0},
	{"88m<03eb>", "closed 1003", "88m<03eb>", 0},
	{"88m<03ef>", "closed 1007", "88m<03ef>", 0},
	{"88m<03f0>", "closed 1008", "88m<03f0>", 0},
	{"88m<03f1>", "closed 1009", "88m<03f1>", 0},
	{"88m<03f2>", "closed 1010", "88m<03f2>", 0},
	{"88m<03f3>", "closed 1011", "88m<03f3>", 0},
	{"88m<03f4>", "closed 1012", "88m<03f4>", 0},
	{"88m<03f5>", "closed 1013", "88m<03f5>", 0},
	{"88m<03f6>", "closed 1014", "88m<03f6>", 0},
	{"88m<0bb8>", "closed 3000", "88m<0bb8>", 0},
	{"88m<0f9f>", "closed 3999", "88m<0f9f>", 0},
	{"88m<0fa0>", "closed 4000", "88m<0fa0>", 0},
	{"88m<1387>", "closed 4999", "88m<1387>", 0},
	{"88m<03e8>'bye'", "closed 1000 bye", "88m<03e8>", 0},
	{"88m<03e8c3a9>", "closed 1000 \xc3\xa9", "88m<03e8>", 0},
	{"81m'a' 88m<03e8>'so long'", "T'a' closed 1000 so long",
		"88m<03e8>", 0},
	{"88m<00>", BROKEN},
	{"88m'a'", BROKEN},
	{"88m<0000>", BROKEN},
	{"88m<03e7>", BROKEN},
	{"88m<03ec>", BROKEN},
	{"88m<03ed>", BROKEN},
	{"88m<03ee>", BROKEN},
	{"88m<03f7>", BROKEN},
	{"88m<03f8>", BROKEN},
	{"88m<044c>", BROKEN},
	{"88m<07d0>", BROKEN},
	{"88m<0bb7>", BROKEN},
	{"88m<1388>", BROKEN},
	{"88m<ffff>", BROKEN},
	{"08m<03e8>", BROKEN},
	{"88m<03e8>*124", BROKEN},
	{"88m<03e8ff>", NOTEXT},
	{"88m<03e8c3>", NOTEXT},
	{"88m<03e8>'abc'<eda080>", NOTEXT},
	/* nothing that comes after a close is looked at */
	{"88m<03e8> 81m'a'", "closed 1000", "88m<03e8>", 0},
	{"88m<03e8> 89m'a'", "closed 1000", "88m<03e8>", 0},
	{"88m<03e8> 88m<03e9>", "closed 1000", "88m<03e8>", 0},
	{"88m<03e8> =<ffffffff>", "closed 1000", "88m<03e8>", 0},
};

static const Case limited[] = {
	{"82m*100", "B*100" LOST, NULL, 100},
	{"82m*101", TOOBIG, 100},
	{"82m*65536", TOOBIG, 100},
	{"81m''", "T''" LOST, NULL, 1},
	{"81m'a'", "T'a'" LOST, NULL, 1},
	{"81m'ab'", TOOBIG, 1},
	{"02m*60 80m*40", "B*100" LOST, NULL, 100},
	{"02m*60 80m*41", TOOBIG, 100},
	{"02m*100 80m''", "B*100" LOST, NULL, 100},
	{"02m*100 80m'a'", TOOBIG, 100},
	{"02m'' 80m*101", TOOBIG, 100},
	{"02m*60 89m*100 80m*40", "B*100" LOST, "8am*100 88m<03e8>", 100},
	{"82m*60 82m*60", "B*60 B*60" LOST, NULL, 100},
	{"82m*100 82m*101", "B*100 " TOOBIG, 100},
	{"89m*125", "ECONNRESET", "8am*125 88m<03e8>", 100},
	{"82m*5000", TOOBIG, 4999},
};

/* The peer goes in the middle of something. */
static const Case cuts[] = {
	{"=<81>", ENDED},
	{"=<8185>", ENDED},
	{"=<81fe00>", ENDED},
	{"=<81ff000000>", ENDED},
	{"01m'a'", ENDED},
	{"01m'a' 00m'b'", ENDED},
	{"81m'a' =<81>", "T'a'" GONE},
	{"=<89>", ENDED},
};

/* As a server gets them, which has the masks in. */
static const Case rawtoserver[] = {
	{"=<818537fa213d7f9f4d5158>", "T'Hello'" GONE},
	{"=<818537fa213d7f9f4d51>", ENDED},
	{"=<818537fa>", ENDED},
	{"=<818500000000>'Hello'", "T'Hello'" GONE},
	{"=<82ff800000000000000000000000>'a'", BROKEN},
	{"=<82ff7fffffffffffffff00000000>'a'", TOOBIG, 1000},
	{"=<82ff000000010000000000000000>'a'", TOOBIG, 1000},
	{"=<00>", ENDED},
	{"=<0000>", BROKEN},
	{"=<ffff>", BROKEN},
	{"='GET / HTTP/1.1'", BROKEN},
};

static const Case rawtoclient[] = {
	{"=<8105>'Hello'", "T'Hello'" GONE},
	{"=<8105>'Hell'", ENDED},
	{"=<827f8000000000000000>'a'", BROKEN},
	{"=<827f7fffffffffffffff>'a'", TOOBIG, 1000},
	{"='HTTP/1.1 200 OK'", BROKEN},
};

#endif
