/* hls::stream for C simulation: a queue without bound, as Vitis HLS's own in simulation, but one that does not let
 * mistakes pass: reading from an empty stream ends the program, and data left over is found by
 * hls::all_streams_empty(). Synthesis never sees this file. */
#ifndef QCC_SIM_HLS_STREAM_H
#define QCC_SIM_HLS_STREAM_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <set>
#include <string>

namespace hls {

class stream_base {
public:
	explicit stream_base(const char *name) : name(name) { all().insert(this); }
	virtual ~stream_base() { all().erase(this); }
	virtual std::size_t size() const = 0;
	static std::set<stream_base *> &all()
	{
		static std::set<stream_base *> streams;
		return streams;
	}
	const std::string name;
private:
	stream_base(const stream_base &);
	stream_base &operator=(const stream_base &);
};

template <class T, int DEPTH = 0> class stream : public stream_base {
public:
	stream() : stream_base("stream") {}
	explicit stream(const char *name) : stream_base(name) {}
	bool empty() const { return words.empty(); }
	bool full() const { return false; }
	std::size_t size() const { return words.size(); }
	void write(const T &word) { words.push_back(word); }
	T read()
	{
		if (words.empty()) {
			std::fprintf(stderr, "csim: read from empty stream %s\n", name.c_str());
			std::exit(1);
		}
		const T word = words.front();
		words.pop_front();
		return word;
	}
	void read(T &word) { word = read(); }
	stream &operator<<(const T &word) { write(word); return *this; }
	stream &operator>>(T &word) { read(word); return *this; }
private:
	std::deque<T> words;
};

/* Says which streams hold data. */
inline bool all_streams_empty()
{
	bool empty = true;
	for (std::set<stream_base *>::iterator s = stream_base::all().begin(); s != stream_base::all().end(); ++s)
		if ((*s)->size()) {
			std::fprintf(stderr, "csim: %lu words left in stream %s\n", (unsigned long)(*s)->size(),
				     (*s)->name.c_str());
			empty = false;
		}
	return empty;
}

}
#endif
