/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz programs begin with: the files of tests/corpus/NAME, each as it
 * is before any is changed.  What a file is for is its name.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include <dirent.h>
#include "test.h"

enum { SamplesMost = 64, SampleMost = 4096 };

typedef struct Sample
{
	char *v;
	size_t n;
} Sample;

static Sample samples[SamplesMost];
static unsigned int nsamples, nsampled;	/* of them, so many were begun with */

static inline void
samplesfail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(2);
}

static inline Sample
samplefrom(const char *dir, const char *name)
{
	char path[512];
	Sample s = {malloc(SampleMost), 0};

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if(f == NULL || s.v == NULL)
		samplesfail(path, strerror(errno));
	s.n = fread(s.v, 1, SampleMost, f);
	if(s.n == 0 || fgetc(f) != EOF)
		samplesfail(path, "empty, or too long");
	fclose(f);
	return s;
}

/* reads them, in the order of their names. */
static inline void
samplesread(const char *name)
{
	char dir[256];
	struct dirent **list;

	snprintf(dir, sizeof dir, "tests/corpus/%s", name);
	int n = scandir(dir, &list, NULL, alphasort);
	if(n < 0 || n > SamplesMost)
		samplesfail(dir, n < 0 ? strerror(errno) : "too many files");
	for(int i = 0; i < n; i++){
		if(*list[i]->d_name != '.')
			samples[nsamples++] = samplefrom(dir, list[i]->d_name);
		free(list[i]);
	}
	free(list);
}

static inline void
samplesfree(void)
{
	while(nsamples > 0)
		free(samples[--nsamples].v);
}

/* The next to begin with, or NULL: all were. */
static inline const Sample *
nextsample(void)
{
	return nsampled < nsamples ? &samples[nsampled++] : NULL;
}

/* Any of them, or NULL if none was read. */
static inline const Sample *
anysample(Random *r)
{
	return nsamples ? &samples[randombelow(r, nsamples)] : NULL;
}

/*
 * changes n bytes, where there is room for so many: some are others, one of
 * chars mostly, or gone, or put in, or doubled, or all behind them are gone.
 * Returns how many there are then.
 */
static inline size_t
changebytes(Random *r, char *v, size_t n, size_t room, const char *chars,
	size_t nchars)
{
	for(unsigned int i = randombelow(r, 5); i > 0 && n > 1; i--){
		size_t at = randombelow(r, (unsigned int)n);
		size_t part = 1 + randombelow(r, (unsigned int)(n - at));
		char c = randombelow(r, 4) ? chars[randombelow(r,
			(unsigned int)nchars)] : (char)randombelow(r, 256);
		switch(randombelow(r, 8)){
		case 0:
			n = at + 1;
			break;
		case 1:
			memmove(v + at, v + at + 1, --n - at);
			break;
		case 2:
		case 3:
			if(n == room)
				break;
			memmove(v + at + 1, v + at, n++ - at);
			v[at] = c;
			break;
		case 4:
			part = part < room - n ? part : room - n;
			memmove(v + at + part, v + at, n - at);
			n += part;
			break;
		default:
			v[at] = c;
		}
	}
	return n;
}

#endif
