/* Layers of a dataflow design, as templates for Vitis HLS (C++14: its arbitrary-precision types have no C form).
 *
 * Every layer is a function between streams of words. A word holds `elements` elements, the first in its lowest
 * bits. One call works through one frame; in the design the calls repeat for ever. Loops are pipelined with an
 * initiation interval of 1, so that a layer's trip count is its cycles a frame. */
#ifndef QCC_LAYERS_H
#define QCC_LAYERS_H

#include <stdint.h>

#ifndef AP_INT_MAX_W
#define AP_INT_MAX_W 4096
#endif
#include "ap_int.h"
#include "hls_stream.h"
#ifdef QCC_TLAST
#include "ap_axi_sdata.h"
#endif

namespace qcc {

/* ---- elements: how many bits, and which number they stand for ---- */

template <int N> struct Unsigned {
	enum { bits = N };
	typedef ap_uint<N> value;
	static value decode(ap_uint<N> x) { return x; }
	static ap_uint<N> encode(value v) { return v; }
};

template <int N> struct Signed {
	enum { bits = N };
	typedef ap_int<N> value;
	static value decode(ap_uint<N> x) { return value(x); }
	static ap_uint<N> encode(value v) { return ap_uint<N>(v); }
};

/* 0 stands for -1, 1 for +1. */
struct Bipolar {
	enum { bits = 1 };
	typedef ap_int<2> value;
	static value decode(ap_uint<1> x) { return x ? value(1) : value(-1); }
	static ap_uint<1> encode(value v) { return ap_uint<1>(v > 0); }
};

template <int BITS, int WIDTH> ap_uint<BITS> element(const ap_uint<WIDTH> &word, int i)
{
#pragma HLS INLINE
	return word.range((i + 1) * BITS - 1, i * BITS);
}

template <int BITS, int WIDTH> void set_element(ap_uint<WIDTH> &word, int i, ap_uint<BITS> x)
{
#pragma HLS INLINE
	word.range((i + 1) * BITS - 1, i * BITS) = x;
}

/* ---- constants ---- */

/* Weights of PE rows, TILES words each; an element takes BITS of a word's 64-bit chunks. */
template <int PE, int TILES, int CHUNKS> struct Weights {
	uint64_t w[PE][TILES][CHUNKS];
};

template <class Weight, int CHUNKS> typename Weight::value weight(const uint64_t (&chunks)[CHUNKS], int i)
{
#pragma HLS INLINE
	const int at = i * Weight::bits, low = at % 64;
	uint64_t x = chunks[at / 64] >> low;
	if (low + Weight::bits > 64)
		x |= chunks[at / 64 + 1] << (64 - low);
	return Weight::decode(ap_uint<Weight::bits>(x));
}

/* Counts the thresholds that an accumulator reaches; the output is BASE and that. */
template <class T, int PE, int FOLD, int STEPS, class Out, int BASE> struct Thresholds {
	T t[PE][FOLD][STEPS];

	template <class Acc> ap_uint<Out::bits> activate(int pe, int fold, Acc a) const
	{
#pragma HLS INLINE
		ap_uint<32> count = 0;
		for (int s = 0; s < STEPS; s++) {
#pragma HLS UNROLL
			count += a >= t[pe][fold][s] ? 1 : 0;
		}
		return ap_uint<Out::bits>(ap_int<34>(BASE) + count);
	}
};

/* Hands accumulators on. */
template <class Out> struct Identity {
	template <class Acc> ap_uint<Out::bits> activate(int, int, Acc a) const
	{
#pragma HLS INLINE
		return Out::encode(typename Out::value(a));
	}
};

/* ---- matrix-vector unit ---- */

/* POPCOUNT: bipolar times bipolar counts equal bits. */
template <bool POPCOUNT> struct Multiply {
	template <class X, class W> static ap_int<X::bits + W::bits + 2> of(ap_uint<X::bits> x, typename W::value w)
	{
#pragma HLS INLINE
		return X::decode(x) * w;
	}
};
template <> struct Multiply<true> {
	template <class X, class W> static ap_uint<1> of(ap_uint<X::bits> x, typename W::value w)
	{
#pragma HLS INLINE
		return ap_uint<1>(X::decode(x) == w);
	}
};

template <class In, class Weight, class Acc, class Out, int MW, int MH, int SIMD, int PE, int VECTORS, bool POPCOUNT,
	  int CHUNKS, class Activation>
void mvau(hls::stream<ap_uint<SIMD * In::bits> > &in, hls::stream<ap_uint<PE * Out::bits> > &out,
	  const Weights<PE, MW / SIMD * MH / PE, CHUNKS> &weights, const Activation &activation)
{
	const int SF = MW / SIMD, NF = MH / PE;
	ap_uint<In::bits> row[SF][SIMD];	/* the input vector, read once and used NF times */
	Acc acc[PE];
#pragma HLS ARRAY_RESHAPE variable=row complete dim=2
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1
	int sf = 0, nf = 0;
	for (int i = 0; i < VECTORS * NF * SF; i++) {
#pragma HLS PIPELINE II=1
		if (nf == 0) {
			const ap_uint<SIMD * In::bits> word = in.read();
			for (int s = 0; s < SIMD; s++) {
#pragma HLS UNROLL
				row[sf][s] = element<In::bits>(word, s);
			}
		}
		for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
			Acc sum = sf == 0 ? Acc(0) : acc[pe];
			for (int s = 0; s < SIMD; s++) {
#pragma HLS UNROLL
				sum += Multiply<POPCOUNT>::template of<In, Weight>(
					row[sf][s], weight<Weight>(weights.w[pe][nf * SF + sf], s));
			}
			acc[pe] = sum;
		}
		if (++sf == SF) {
			ap_uint<PE * Out::bits> word = 0;
			for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
				set_element<Out::bits>(word, pe, activation.activate(pe, nf, acc[pe]));
			}
			out.write(word);
			sf = 0;
			if (++nf == NF)
				nf = 0;
		}
	}
}

/* One filter a channel. A word holds SIMD kernel positions of PE channels (channels fastest). */
template <class In, class Weight, class Acc, class Out, int KERNEL, int CHANNELS, int SIMD, int PE, int PIXELS,
	  bool POPCOUNT, int CHUNKS, class Activation>
void vvau(hls::stream<ap_uint<SIMD * PE * In::bits> > &in, hls::stream<ap_uint<PE * Out::bits> > &out,
	  const Weights<PE, KERNEL / SIMD * CHANNELS / PE, CHUNKS> &weights, const Activation &activation)
{
	const int SF = KERNEL / SIMD, NF = CHANNELS / PE;
	Acc acc[PE];
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1
	int sf = 0, nf = 0;
	for (int i = 0; i < PIXELS * NF * SF; i++) {
#pragma HLS PIPELINE II=1
		const ap_uint<SIMD * PE * In::bits> word = in.read();
		for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
			Acc sum = sf == 0 ? Acc(0) : acc[pe];
			for (int s = 0; s < SIMD; s++) {
#pragma HLS UNROLL
				sum += Multiply<POPCOUNT>::template of<In, Weight>(
					element<In::bits>(word, s * PE + pe),
					weight<Weight>(weights.w[pe][nf * SF + sf], s));
			}
			acc[pe] = sum;
		}
		if (++sf == SF) {
			ap_uint<PE * Out::bits> result = 0;
			for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
				set_element<Out::bits>(result, pe, activation.activate(pe, nf, acc[pe]));
			}
			out.write(result);
			sf = 0;
			if (++nf == NF)
				nf = 0;
		}
	}
}

/* ---- element by element ---- */

template <class In, class Out, int CHANNELS, int PE, int VECTORS, class Activation>
void thresholding(hls::stream<ap_uint<PE * In::bits> > &in, hls::stream<ap_uint<PE * Out::bits> > &out,
		  const Activation &activation)
{
	int fold = 0;
	for (int i = 0; i < VECTORS * (CHANNELS / PE); i++) {
#pragma HLS PIPELINE II=1
		const ap_uint<PE * In::bits> word = in.read();
		ap_uint<PE * Out::bits> result = 0;
		for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
			set_element<Out::bits>(result, pe, activation.activate(pe, fold, In::decode(element<In::bits>(word, pe))));
		}
		out.write(result);
		if (++fold == CHANNELS / PE)
			fold = 0;
	}
}

enum Operation { ADD, SUB, ABS_DIFF, MUL, AT_LEAST, AT_MOST };

template <int OPERATION, class A, class B> ap_int<A::width + B::width + 2> combine(A a, B b)
{
#pragma HLS INLINE
	switch (OPERATION) {
	case ADD: return a + b;
	case SUB: return a - b;
	case ABS_DIFF: return a > b ? ap_int<A::width + B::width + 2>(a - b) : ap_int<A::width + B::width + 2>(b - a);
	case MUL: return a * b;
	case AT_LEAST: return a >= b;
	default: return a <= b;
	}
}

/* REPEATED: the words of one vector of b, which is read once and used for every vector of a; 0 where b is as long as a. */
template <int OPERATION, class A, class B, class Out, int PE, int WORDS, int REPEATED>
void eltwise(hls::stream<ap_uint<PE * A::bits> > &a, hls::stream<ap_uint<PE * B::bits> > &b,
	     hls::stream<ap_uint<PE * Out::bits> > &out)
{
	ap_uint<PE * B::bits> repeated[REPEATED ? REPEATED : 1];
	int fold = 0;
	for (int i = 0; i < WORDS; i++) {
#pragma HLS PIPELINE II=1
		const ap_uint<PE * A::bits> x = a.read();
		ap_uint<PE * B::bits> y;
		if (REPEATED == 0 || i < REPEATED) {
			y = b.read();
			repeated[fold] = y;
		} else {
			y = repeated[fold];
		}
		fold = fold + 1 < REPEATED ? fold + 1 : 0;
		ap_uint<PE * Out::bits> word = 0;
		for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
			const typename A::value u = A::decode(element<A::bits>(x, pe));
			const typename B::value v = B::decode(element<B::bits>(y, pe));
			set_element<Out::bits>(word, pe, Out::encode(typename Out::value(combine<OPERATION>(u, v))));
		}
		out.write(word);
	}
}

/* A constant a channel: c[PE][FOLD]. */
template <class T, int PE, int FOLD> struct Constants {
	T c[PE][FOLD];
};

template <int OPERATION, class In, class C, class Out, int CHANNELS, int PE, int VECTORS, class T>
void channelwise(hls::stream<ap_uint<PE * In::bits> > &in, hls::stream<ap_uint<PE * Out::bits> > &out,
		 const Constants<T, PE, CHANNELS / PE> &constants)
{
	int fold = 0;
	for (int i = 0; i < VECTORS * (CHANNELS / PE); i++) {
#pragma HLS PIPELINE II=1
		const ap_uint<PE * In::bits> word = in.read();
		ap_uint<PE * Out::bits> result = 0;
		for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
			const typename In::value x = In::decode(element<In::bits>(word, pe));
			const ap_int<C::bits + 1> c = constants.c[pe][fold];
			set_element<Out::bits>(result, pe, Out::encode(typename Out::value(combine<OPERATION>(x, c))));
		}
		out.write(result);
		if (++fold == CHANNELS / PE)
			fold = 0;
	}
}

/* ---- windows and pixels ---- */

/* Sliding window: for each output pixel the words of its kernel positions. Rows lie in a ring of lines, the
 * window's rows and SH more, so that while one output row is written the next input rows are read. Depthwise: all kernel positions of SIMD channels first. */
template <int FOLD, int KH, int KW, int H, int W, int OH, int OW, int SH, int SW, int DH, int DW, bool DEPTHWISE, int WIDTH,
	  int LINES, int LINE>
void sliding_window(hls::stream<ap_uint<WIDTH> > &in, hls::stream<ap_uint<WIDTH> > &out, ap_uint<WIDTH> (&lines)[LINES][LINE])
{
	const int SPAN = (KH - 1) * DH + 1, WRITES = OW * KH * KW * FOLD, READS = SH * LINE;
	int row = 0, column = 0, slot = 0;	/* where the next input word goes */
	for (int i = 0; i < SPAN * LINE; i++) {
#pragma HLS PIPELINE II=1
		lines[slot][column] = in.read();
		if (++column == LINE) {
			column = 0;
			row++;
			slot = slot + 1 == LINES ? 0 : slot + 1;
		}
	}
	int first = 0;				/* the line of the window's first row */
	for (int oy = 0; oy < OH; oy++) {
		int ox = 0, ky = 0, kx = 0, fold = 0, read = 0;
		for (int i = 0; i < (WRITES > READS ? WRITES : READS); i++) {
#pragma HLS PIPELINE II=1
#pragma HLS DEPENDENCE variable=lines inter false
			if (i < WRITES) {
				int line = first + ky * DH;
				if (line >= LINES)
					line -= LINES;
				out.write(lines[line][(ox * SW + kx * DW) * FOLD + fold]);
				bool carry = true;		/* advance fold, kx, ky, ox: depthwise fold after ky */
				if (!DEPTHWISE) {
					carry = ++fold == FOLD;
					if (carry)
						fold = 0;
				}
				if (carry) {
					carry = ++kx == KW;
					if (carry)
						kx = 0;
				}
				if (carry) {
					carry = ++ky == KH;
					if (carry)
						ky = 0;
				}
				if (DEPTHWISE && carry) {
					carry = ++fold == FOLD;
					if (carry)
						fold = 0;
				}
				if (carry)
					ox++;
			}
			if (read < READS && row < H) {
				lines[slot][column] = in.read();
				read++;
				if (++column == LINE) {
					column = 0;
					row++;
					slot = slot + 1 == LINES ? 0 : slot + 1;
				}
			}
		}
		first += SH;
		if (first >= LINES)
			first -= LINES;
	}
	for (int i = (row * LINE) + column; i < H * LINE; i++) {	/* rows that no window reaches */
#pragma HLS PIPELINE II=1
		in.read();
	}
}

/* The same with a whole window a word: lines and a window of registers, one pixel a cycle. */
template <int WIDTH, int KH, int KW, int H, int W, int SH, int SW, int DH, int DW>
void parallel_window(hls::stream<ap_uint<WIDTH> > &in, hls::stream<ap_uint<KH * KW * WIDTH> > &out)
{
	const int ROWS = (KH - 1) * DH, SPAN = (KW - 1) * DW + 1;
	ap_uint<WIDTH> lines[ROWS ? ROWS : 1][W], window[KH][SPAN];
#pragma HLS ARRAY_PARTITION variable=lines complete dim=1
#pragma HLS ARRAY_PARTITION variable=window complete dim=0
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
#pragma HLS PIPELINE II=1
			const ap_uint<WIDTH> pixel = in.read();
			for (int ky = 0; ky < KH; ky++) {
#pragma HLS UNROLL
				for (int k = 0; k + 1 < SPAN; k++) {
#pragma HLS UNROLL
					window[ky][k] = window[ky][k + 1];
				}
				window[ky][SPAN - 1] = ky == KH - 1 ? pixel : lines[ky * DH][x];
			}
			for (int r = 0; r < ROWS; r++) {
#pragma HLS UNROLL
				lines[r][x] = r + 1 < ROWS ? lines[r + 1][x] : pixel;
			}
			if (y < ROWS || x < SPAN - 1 || (y - ROWS) % SH || (x - SPAN + 1) % SW)
				continue;
			ap_uint<KH * KW * WIDTH> word = 0;
			for (int k = 0; k < KH * KW; k++) {
#pragma HLS UNROLL
				set_element<WIDTH>(word, k, window[k / KW][k % KW * DW]);
			}
			out.write(word);
		}
}

/* Zeros around an image, and STRIDE - 1 of them between its pixels. */
template <int WIDTH, int FOLD, int H, int W, int TOP, int LEFT, int BOTTOM, int RIGHT, int STRIDE_H, int STRIDE_W>
void pad(hls::stream<ap_uint<WIDTH> > &in, hls::stream<ap_uint<WIDTH> > &out)
{
	const int IH = (H - 1) * STRIDE_H + 1, IW = (W - 1) * STRIDE_W + 1;
	for (int y = 0; y < TOP + IH + BOTTOM; y++)
		for (int x = 0; x < LEFT + IW + RIGHT; x++)
			for (int f = 0; f < FOLD; f++) {
#pragma HLS PIPELINE II=1
				const bool inside = y >= TOP && y < TOP + IH && x >= LEFT && x < LEFT + IW &&
						    (y - TOP) % STRIDE_H == 0 && (x - LEFT) % STRIDE_W == 0;
				out.write(inside ? in.read() : ap_uint<WIDTH>(0));
			}
}

/* The OH x OW pixels that begin TOP rows and LEFT columns inside an image. */
template <int WIDTH, int FOLD, int H, int W, int TOP, int LEFT, int OH, int OW>
void crop(hls::stream<ap_uint<WIDTH> > &in, hls::stream<ap_uint<WIDTH> > &out)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int f = 0; f < FOLD; f++) {
#pragma HLS PIPELINE II=1
				const ap_uint<WIDTH> word = in.read();
				if (y >= TOP && y < TOP + OH && x >= LEFT && x < LEFT + OW)
					out.write(word);
			}
}

template <int WIDTH, int FOLD, int H, int W, int SH, int SW, int FRAMES>
void down_sample(hls::stream<ap_uint<WIDTH> > &in, hls::stream<ap_uint<WIDTH> > &out)
{
	for (int y = 0; y < FRAMES * H; y++)
		for (int x = 0; x < W; x++)
			for (int f = 0; f < FOLD; f++) {
#pragma HLS PIPELINE II=1
				const ap_uint<WIDTH> word = in.read();
				if (y % H % SH == 0 && x % SW == 0)
					out.write(word);
			}
}

template <int WIDTH, int H, int W, int FACTOR_H, int FACTOR_W, int FRAMES>
void up_sample(hls::stream<ap_uint<WIDTH> > &in, hls::stream<ap_uint<WIDTH> > &out)
{
	ap_uint<WIDTH> line[W];
	for (int y = 0; y < FRAMES * H; y++)
		for (int r = 0; r < FACTOR_H; r++)
			for (int x = 0; x < W; x++)
				for (int c = 0; c < FACTOR_W; c++) {
#pragma HLS PIPELINE II=1
					if (r == 0 && c == 0)
						line[x] = in.read();
					out.write(line[x]);
				}
}

/* ---- pooling ---- */

template <class E, int N> ap_uint<N * E::bits> larger(const ap_uint<N * E::bits> &a, const ap_uint<N * E::bits> &b)
{
#pragma HLS INLINE
	ap_uint<N * E::bits> word = 0;
	for (int i = 0; i < N; i++) {
#pragma HLS UNROLL
		const ap_uint<E::bits> x = element<E::bits>(a, i), y = element<E::bits>(b, i);
		set_element<E::bits>(word, i, E::decode(x) > E::decode(y) ? x : y);
	}
	return word;
}

/* Windows that tile the image: maxima of a row of windows are kept while its lines pass. */
template <class E, int ELEMENTS, int FOLD, int H, int W, int KH, int KW>
void max_pool(hls::stream<ap_uint<ELEMENTS * E::bits> > &in, hls::stream<ap_uint<ELEMENTS * E::bits> > &out)
{
	ap_uint<ELEMENTS * E::bits> best[W / KW][FOLD];
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int f = 0; f < FOLD; f++) {
#pragma HLS PIPELINE II=1
				const ap_uint<ELEMENTS * E::bits> word = in.read();
				if (x / KW >= W / KW || y / KH >= H / KH)
					continue;
				const bool fresh = y % KH == 0 && x % KW == 0;
				const ap_uint<ELEMENTS * E::bits> now =
					fresh ? word : larger<E, ELEMENTS>(best[x / KW][f], word);
				best[x / KW][f] = now;
				if (y % KH == KH - 1 && x % KW == KW - 1)
					out.write(now);
			}
}

/* Windows from a depthwise sliding window: the maximum, or the sum without its SHIFT lowest bits. */
template <class In, class Out, int KERNEL, int PE, int OUTPUTS, bool AVERAGE, int SHIFT>
void pool(hls::stream<ap_uint<PE * In::bits> > &in, hls::stream<ap_uint<PE * Out::bits> > &out)
{
	ap_int<In::bits + 20> best[PE];
#pragma HLS ARRAY_PARTITION variable=best complete dim=1
	for (int i = 0; i < OUTPUTS; i++)
		for (int k = 0; k < KERNEL; k++) {
#pragma HLS PIPELINE II=1
			const ap_uint<PE * In::bits> word = in.read();
			ap_uint<PE * Out::bits> result = 0;
			for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
				const ap_int<In::bits + 20> x = In::decode(element<In::bits>(word, pe));
				if (k == 0)
					best[pe] = x;
				else if (AVERAGE)
					best[pe] += x;
				else if (x > best[pe])
					best[pe] = x;
				set_element<Out::bits>(result, pe, Out::encode(typename Out::value(best[pe] >> SHIFT)));
			}
			if (k == KERNEL - 1)
				out.write(result);
		}
}

/* Sum over all pixels. */
template <class In, class Out, int CHANNELS, int PE, int PIXELS>
void global_sum(hls::stream<ap_uint<PE * In::bits> > &in, hls::stream<ap_uint<PE * Out::bits> > &out)
{
	const int FOLD = CHANNELS / PE;
	typename Out::value acc[FOLD][PE];
#pragma HLS ARRAY_PARTITION variable=acc complete dim=2
	for (int p = 0; p < PIXELS; p++)
		for (int f = 0; f < FOLD; f++) {
#pragma HLS PIPELINE II=1
			const ap_uint<PE * In::bits> word = in.read();
			for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
				const typename Out::value x = In::decode(element<In::bits>(word, pe));
				acc[f][pe] = p == 0 ? x : typename Out::value(acc[f][pe] + x);
			}
		}
	for (int f = 0; f < FOLD; f++) {
#pragma HLS PIPELINE II=1
		ap_uint<PE * Out::bits> word = 0;
		for (int pe = 0; pe < PE; pe++) {
#pragma HLS UNROLL
			set_element<Out::bits>(word, pe, Out::encode(acc[f][pe]));
		}
		out.write(word);
	}
}

/* ---- selecting, converting ---- */

/* Indices of the K largest, largest first; of equal ones the first. */
template <class In, int LABELS, int PE, int K, int OUT_BITS, int VECTORS>
void label_select(hls::stream<ap_uint<PE * In::bits> > &in, hls::stream<ap_uint<OUT_BITS> > &out)
{
	typename In::value best[K];
	ap_uint<OUT_BITS> index[K];
	for (int v = 0; v < VECTORS; v++) {
		for (int i = 0; i < LABELS / PE; i++) {
			const ap_uint<PE * In::bits> word = in.read();
			for (int pe = 0; pe < PE; pe++) {
				const int label = i * PE + pe;
				const typename In::value x = In::decode(element<In::bits>(word, pe));
				int at = label < K ? label : K;	/* how many are filled */
				for (; at > 0 && x > best[at - 1]; at--) {
					if (at < K) {
						best[at] = best[at - 1];
						index[at] = index[at - 1];
					}
				}
				if (at < K) {
					best[at] = x;
					index[at] = label;
				}
			}
		}
		for (int k = 0; k < K; k++)
			out.write(index[k]);
	}
}

/* The same bits in words of another width. Where one width divides the other, no more than one wide word is kept. */
template <int IN, int OUT, int WORDS, int WAY> struct Converter;	/* WAY: 0 together, 1 apart, 2 neither divides */

template <int IN, int OUT, int WORDS> struct Converter<IN, OUT, WORDS, 0> {
	static void run(hls::stream<ap_uint<IN> > &in, hls::stream<ap_uint<OUT> > &out)
	{
		ap_uint<OUT> buffer = 0;
		int at = 0;
		for (int i = 0; i < WORDS; i++) {
#pragma HLS PIPELINE II=1
			set_element<IN>(buffer, at, in.read());
			if (++at == OUT / IN) {
				out.write(buffer);
				at = 0;
			}
		}
	}
};

template <int IN, int OUT, int WORDS> struct Converter<IN, OUT, WORDS, 1> {
	static void run(hls::stream<ap_uint<IN> > &in, hls::stream<ap_uint<OUT> > &out)
	{
		ap_uint<IN> buffer = 0;
		int at = 0;
		for (int i = 0; i < WORDS * (IN / OUT); i++) {
#pragma HLS PIPELINE II=1
			if (at == 0)
				buffer = in.read();
			out.write(element<OUT>(buffer, at));
			if (++at == IN / OUT)
				at = 0;
		}
	}
};

template <int IN, int OUT, int WORDS> struct Converter<IN, OUT, WORDS, 2> {
	static void run(hls::stream<ap_uint<IN> > &in, hls::stream<ap_uint<OUT> > &out)
	{
		ap_uint<IN + OUT> buffer = 0;
		int bits = 0, words = 0;
		while (words < WORDS || bits >= OUT) {
#pragma HLS PIPELINE II=1
			if (bits >= OUT) {
				out.write(buffer.range(OUT - 1, 0));
				buffer = buffer >> OUT;
				bits -= OUT;
			}
			if (bits < OUT && words < WORDS) {
				buffer |= ap_uint<IN + OUT>(in.read()) << bits;
				bits += IN;
				words++;
			}
		}
	}
};

template <int IN, int OUT, int WORDS>
void convert_width(hls::stream<ap_uint<IN> > &in, hls::stream<ap_uint<OUT> > &out)
{
	Converter<IN, OUT, WORDS, OUT % IN == 0 ? 0 : IN % OUT == 0 ? 1 : 2>::run(in, out);
}

/* Words at the border of the design, padded to whole bytes; with QCC_TLAST they say which is the last of a frame. */
#ifdef QCC_TLAST
template <int BORDER> struct Port {
	typedef hls::axis<ap_uint<BORDER>, 0, 0, 0> word;
	static ap_uint<BORDER> data(const word &w) { return w.data; }
	static word make(const ap_uint<BORDER> &data, bool last)
	{
		word w;
		w.data = data;
		w.keep = -1;
		w.strb = -1;
		w.last = last;
		return w;
	}
	static bool ends(const word &w) { return w.last; }
};
#else
template <int BORDER> struct Port {
	typedef ap_uint<BORDER> word;
	static ap_uint<BORDER> data(const word &w) { return w; }
	static word make(const ap_uint<BORDER> &data, bool) { return data; }
	static bool ends(const word &) { return true; }
};
#endif

template <int WIDTH, int BORDER, int WORDS>
void from_border(hls::stream<typename Port<BORDER>::word> &in, hls::stream<ap_uint<WIDTH> > &out)
{
	for (int i = 0; i < WORDS; i++) {
#pragma HLS PIPELINE II=1
		out.write(ap_uint<WIDTH>(Port<BORDER>::data(in.read())));
	}
}

template <int WIDTH, int BORDER, int WORDS>
void to_border(hls::stream<ap_uint<WIDTH> > &in, hls::stream<typename Port<BORDER>::word> &out)
{
	for (int i = 0; i < WORDS; i++) {
#pragma HLS PIPELINE II=1
		out.write(Port<BORDER>::make(ap_uint<BORDER>(in.read()), i == WORDS - 1));
	}
}

}
#endif
