// Runs the golden vectors tv/ through the design: sim [SEED]. Fails on words other than the golden ones, on a design that
// hangs, and, without a seed, where a frame does not take the cycles that were scheduled. With a seed, valid and ready pause
// at random at every port.
#include "sim.h"
#include "verilated.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

typedef std::vector<uint32_t> Word; // 32 bits each, the lowest first

static std::vector<Word> read_words(const std::string &path, int bits)
{
	std::ifstream file(path);
	std::vector<Word> words;
	std::string line;
	while (file >> line) {
		Word w((bits + 31) / 32);
		for (size_t i = 0; i < line.size(); i++)
			w[i / 8] |= (uint32_t)std::stoul(line.substr(line.size() - 1 - i, 1), nullptr, 16) << (i % 8 * 4);
		words.push_back(w);
	}
	if (words.empty()) {
		std::fprintf(stderr, "sim: %s is missing or empty\n", path.c_str());
		std::exit(1);
	}
	return words;
}

// Ports of up to 64 bits are integers, wider ones arrays of 32 bits.
template <class T> static void set(T &port, const Word &w)
{
	uint64_t x = w[0];
	if (w.size() > 1)
		x |= (uint64_t)w[1] << 32;
	port = (T)x;
}
template <std::size_t N> static void set(VlWide<N> &port, const Word &w)
{
	for (size_t i = 0; i < N; i++)
		port[i] = w[i];
}
template <class T> static Word get(const T &port, int)
{
	Word w(1, (uint32_t)port);
	if (sizeof port > 4)
		w.push_back((uint32_t)((uint64_t)port >> 32));
	return w;
}
template <std::size_t N> static Word get(const VlWide<N> &port, int)
{
	Word w;
	for (size_t i = 0; i < N; i++)
		w.push_back(port[i]);
	return w;
}

struct Stream {
	std::vector<Word> golden;
	long words; // a frame
	long at;    // words that passed
	bool on;
	std::vector<long> ends; // cycles in which frames ended
	const Word &next() const { return golden[at % golden.size()]; }
};

static uint32_t state;
static bool chance() // two in three
{
	state = state * 1664525u + 1013904223u;
	return (state >> 16) % 3 != 0;
}

int main(int argc, char **argv)
{
	const bool stalls = argc > 1;
	state = stalls ? (uint32_t)std::strtoul(argv[1], nullptr, 10) : 0;
	std::vector<Stream> in, out;
#define READ_IN(k, bits, length) in.push_back({ read_words("tv/in" #k ".hex", bits), length, 0, false, {} });
#define READ_OUT(k, bits, length) out.push_back({ read_words("tv/out" #k ".hex", bits), length, 0, false, {} });
	INPUTS(READ_IN)
	OUTPUTS(READ_OUT)
	const long samples = (long)(out[0].golden.size() / (size_t)out[0].words), frames = samples < 8 ? 8 : samples;
	const long patience = 100000 + 20 * INTERVAL;
	Top top;
	long cycle = 0, quiet = 0, wrong = 0;
	bool done = false;
	top.reset = 1;
	for (int i = 0; i < 4; i++) {
		top.clock = i & 1;
		top.eval();
	}
	top.reset = 0;
	for (; !done; cycle++) {
		// A word that was offered stays until it is taken.
#define OFFER(k, bits, length) \
		in[k].on = in[k].at < frames * in[k].words && (in[k].on || !stalls || chance()); \
		top.in##k##_tvalid = in[k].on; \
		set(top.in##k##_tdata, in[k].next());
#define ACCEPT(k, bits, length) out[k].on = !stalls || chance(); top.out##k##_tready = out[k].on;
		top.clock = 0;
		INPUTS(OFFER)
		OUTPUTS(ACCEPT)
		top.eval();
		quiet++;
#define SENT(k, bits, length) \
		if (in[k].on && top.in##k##_tready) { \
			in[k].at++; \
			in[k].on = false; \
			quiet = 0; \
		}
#define ARRIVED(k, bits, length) \
		if (out[k].on && top.out##k##_tvalid) { \
			if (get(top.out##k##_tdata, bits) != out[k].next() && wrong++ < 5) \
				std::fprintf(stderr, "sim: word %ld of output %d is wrong\n", out[k].at, k); \
			out[k].at++; \
			if (out[k].at % out[k].words == 0) \
				out[k].ends.push_back(cycle); \
			quiet = 0; \
		}
		INPUTS(SENT)
		OUTPUTS(ARRIVED)
		top.clock = 1;
		top.eval();
		done = true;
		for (const Stream &s : out)
			done = done && s.at >= frames * s.words;
		if (quiet > patience) {
			std::printf("sim: HANGS after %ld cycles, %ld words in, %ld words out\n", cycle, in[0].at, out[0].at);
			return 1;
		}
	}
	const std::vector<long> &ends = out[0].ends;
	const long interval = ends[frames - 1] - ends[frames - 2];
	std::printf("sim: %ld frames, %s", frames, wrong ? "DIFFERENT from the golden words" : "equal bit for bit");
	if (stalls)
		std::printf(", with random stalls\n");
	else
		std::printf(", %ld cycles a frame, %s %ld, the first after %ld\n", interval,
			    interval == INTERVAL ? "as scheduled:" : "NOT as scheduled:", INTERVAL, ends[0] + 1);
	return wrong || (!stalls && SIMULATED && interval != INTERVAL) ? 1 : 0;
}
