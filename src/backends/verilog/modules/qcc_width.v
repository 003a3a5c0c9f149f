// The same bits in words of another width, WORDS input words a frame. A word is written as soon as it is held, and another
// one is read while there is room for it.
module qcc_width #(
	parameter IN = 1,
	parameter OUT = 1,
	parameter WORDS = 1,
	parameter WORDS_BITS = 1,
	parameter HELD_BITS = 1
) (
	input wire clock,
	input wire reset,
	input wire [IN-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [OUT-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	localparam [31:0] IN_SIZE = IN, OUT_SIZE = OUT, MOST = 2 * OUT;
	reg [HELD_BITS-1:0] held; // bits
	reg [WORDS_BITS-1:0] words; // of this frame that were read
	wire full = held >= OUT_SIZE[HELD_BITS-1:0];
	wire more = words != WORDS[WORDS_BITS-1:0];
	wire room = held < MOST[HELD_BITS-1:0];
	wire write = full && out_ready;
	wire read = in_valid && in_ready;
	wire [HELD_BITS-1:0] kept = write ? held - OUT_SIZE[HELD_BITS-1:0] : held;
	assign out_valid = full;
	assign in_ready = more && (full ? room && out_ready : 1'b1);
	always @(posedge clock)
		if (reset) begin
			held <= {HELD_BITS{1'b0}};
			words <= {WORDS_BITS{1'b0}};
		end else begin
			held <= read ? kept + IN_SIZE[HELD_BITS-1:0] : kept;
			if (read)
				words <= words + 1'b1;
			else if (!more && write && kept == {HELD_BITS{1'b0}})
				words <= {WORDS_BITS{1'b0}};
		end
	generate
		if (OUT % IN == 0) begin : together
			reg [OUT-1:0] buffer;
			assign out_data = buffer;
			if (OUT == IN) begin : same
				always @(posedge clock)
					if (read)
						buffer <= in_data;
			end else begin : longer
				always @(posedge clock)
					if (read)
						buffer <= {in_data, buffer[OUT-1:IN]};
			end
		end else if (IN % OUT == 0) begin : apart
			reg [IN-1:0] buffer;
			assign out_data = buffer[OUT-1:0];
			always @(posedge clock)
				if (read)
					buffer <= in_data;
				else if (write)
					buffer <= buffer >> OUT;
		end else begin : mixed
			reg [IN+OUT-1:0] buffer;
			wire [IN+OUT-1:0] rest = write ? buffer >> OUT : buffer;
			wire [IN+OUT-1:0] fresh = {{OUT{1'b0}}, in_data};
			assign out_data = buffer[OUT-1:0];
			always @(posedge clock)
				if (reset)
					buffer <= {(IN+OUT){1'b0}};
				else
					buffer <= read ? rest | (fresh << kept) : rest;
		end
	endgenerate
endmodule
