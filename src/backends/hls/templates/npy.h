/* Reads and writes NumPy's .npy files of float32, for the testbench. */
#ifndef QCC_SIM_NPY_H
#define QCC_SIM_NPY_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

struct Array {
	std::vector<size_t> dims;
	std::vector<float> data;
	size_t samples() const { return dims.empty() ? 1 : dims[0]; }
};

static inline void npy_fail(const char *path, const char *why)
{
	std::fprintf(stderr, "csim: %s: %s\n", path, why);
	std::exit(1);
}

template <class T> static void npy_convert(const std::vector<char> &bytes, size_t at, std::vector<float> &out)
{
	for (size_t i = 0; i < out.size(); i++) {
		T x;
		std::memcpy(&x, &bytes[at + i * sizeof x], sizeof x);
		out[i] = (float)x;
	}
}

static inline Array npy_read(const char *path)
{
	std::FILE *f = std::fopen(path, "rb");
	if (!f)
		npy_fail(path, "cannot open");
	std::vector<char> bytes;
	char buffer[65536];
	for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, f)) > 0;)
		bytes.insert(bytes.end(), buffer, buffer + n);
	std::fclose(f);
	if (bytes.size() < 12 || std::memcmp(&bytes[0], "\x93NUMPY", 6) != 0)
		npy_fail(path, "is no .npy file");
	size_t head = bytes[6] == 1 ? 10 : 12;
	size_t length = (unsigned char)bytes[8] | (size_t)(unsigned char)bytes[9] << 8;
	if (bytes[6] != 1)
		length |= (size_t)(unsigned char)bytes[10] << 16 | (size_t)(unsigned char)bytes[11] << 24;
	std::string header(&bytes[head], length);
	Array a;
	size_t count = 1, shape = header.find('(');
	for (const char *p = header.c_str() + shape + 1; *p && *p != ')'; p++)
		if (*p >= '0' && *p <= '9') {
			char *end;
			a.dims.push_back(std::strtoul(p, &end, 10));
			count *= a.dims.back();
			p = end - 1;
		}
	a.data.resize(count);
	size_t type = header.find("'descr': '");
	std::string descr = type == std::string::npos ? "" : header.substr(type + 10, 3);
	size_t each = descr.size() == 3 ? (size_t)(descr[2] - '0') : 0, at = head + length;
	if (!each || bytes.size() < at + count * each || header.find("True") != std::string::npos)
		npy_fail(path, "has a type or order that the testbench does not read");
	if (descr == "<f4")
		npy_convert<float>(bytes, at, a.data);
	else if (descr == "<f8")
		npy_convert<double>(bytes, at, a.data);
	else if (descr == "|i1")
		npy_convert<int8_t>(bytes, at, a.data);
	else if (descr == "|u1")
		npy_convert<uint8_t>(bytes, at, a.data);
	else if (descr == "<i4")
		npy_convert<int32_t>(bytes, at, a.data);
	else if (descr == "<i8")
		npy_convert<int64_t>(bytes, at, a.data);
	else
		npy_fail(path, "has a type that the testbench does not read");
	return a;
}

static inline void npy_write(const char *path, const Array &a)
{
	std::string shape;
	for (size_t i = 0; i < a.dims.size(); i++)
		shape += std::to_string(a.dims[i]) + (i + 1 < a.dims.size() ? ", " : a.dims.size() == 1 ? "," : "");
	std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
	while ((10 + header.size() + 1) % 64)
		header += ' ';
	header += '\n';
	std::FILE *f = std::fopen(path, "wb");
	if (!f)
		npy_fail(path, "cannot write");
	const unsigned char start[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(header.size() & 255),
					(unsigned char)(header.size() >> 8) };
	std::fwrite(start, 1, sizeof start, f);
	std::fwrite(header.data(), 1, header.size(), f);
	std::fwrite(&a.data[0], sizeof(float), a.data.size(), f);
	if (std::fclose(f) != 0)
		npy_fail(path, "cannot write");
}

#endif
