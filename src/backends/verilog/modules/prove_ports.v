// For prove.py: two instances of a module, a and b, get the same words at each input and pause independently, as they like. What
// comes out must be the same words in the same order. The two are never more than a word apart at any port: a run that pauses
// once more than another one is never further behind it, and by one pause at a time every run is compared with every other.

// An input port of both.
module prove_source #(
	parameter WIDTH = 1
) (
	input wire clock,
	input wire reset,
	input wire [WIDTH-1:0] fresh, // free
	input wire a_gives, // free
	input wire b_gives,
	input wire a_ready,
	input wire b_ready,
	output reg [WIDTH-1:0] data,
	output wire a_valid,
	output wire b_valid
);
	reg a_ahead, b_ahead, a_offers, b_offers; // a word that was offered stays
	wire a_passes = a_valid && a_ready, b_passes = b_valid && b_ready;
	wire both = (a_ahead || a_passes) && (b_ahead || b_passes);
	assign a_valid = (a_gives || a_offers) && !a_ahead && !reset;
	assign b_valid = (b_gives || b_offers) && !b_ahead && !reset;
	always @(posedge clock) begin
		a_offers <= a_valid && !a_ready && !reset;
		b_offers <= b_valid && !b_ready && !reset;
		a_ahead <= (a_ahead || a_passes) && !both && !reset;
		b_ahead <= (b_ahead || b_passes) && !both && !reset;
		if (both || reset)
			data <= fresh;
	end
endmodule

// An output port of both.
module prove_sink #(
	parameter WIDTH = 1
) (
	input wire clock,
	input wire reset,
	input wire a_takes, // free
	input wire b_takes,
	input wire [WIDTH-1:0] a_data,
	input wire [WIDTH-1:0] b_data,
	input wire a_valid,
	input wire b_valid,
	output wire a_ready,
	output wire b_ready
);
	reg a_ahead, b_ahead, stuck;
	reg [WIDTH-1:0] waiting, was;
	reg [1:0] passed;
	wire a_passes = a_valid && a_ready, b_passes = b_valid && b_ready;
	assign a_ready = a_takes && !a_ahead && !reset;
	assign b_ready = b_takes && !b_ahead && !reset;
	always @(posedge clock) begin
		a_ahead <= (a_ahead ? !b_passes : a_passes && !b_passes && !b_ahead) && !reset;
		b_ahead <= (b_ahead ? !a_passes : b_passes && !a_passes && !a_ahead) && !reset;
		if (a_passes || b_passes)
			waiting <= a_passes ? a_data : b_data;
		stuck <= a_valid && !a_ready && !reset;
		was <= a_data;
		passed <= reset ? 2'd0 : passed[1] ? passed : passed + {1'b0, a_passes};
	end
	always @*
		if (!reset) begin
`ifdef WITNESS
			assert (!passed[1]); // false: two words can pass
`else
			if (a_passes && b_passes)
				assert (a_data == b_data);
			if (a_passes && b_ahead)
				assert (a_data == waiting);
			if (b_passes && a_ahead)
				assert (b_data == waiting);
			if (stuck) // a word that was offered stays
				assert (a_valid && a_data == was);
`endif
		end
endmodule
