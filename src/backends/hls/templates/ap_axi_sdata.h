/* hls::axis for C simulation: an AXI stream word with its side channels, as far as the design uses them. Synthesis never
 * sees this file. */
#ifndef QCC_SIM_AP_AXI_SDATA_H
#define QCC_SIM_AP_AXI_SDATA_H

#include "ap_int.h"

namespace hls {

template <class T, int USER, int ID, int DEST> struct axis {
	T data;
	ap_uint<(T::width + 7) / 8> keep, strb;
	ap_uint<1> last;
};

}
#endif
