// How many of STEPS thresholds an accumulator reaches, and BASE more.
module qcc_activate #(
	parameter BITS = 8,
	parameter STEPS = 1,
	parameter OUT_BITS = 1,
	parameter BASE = 0
) (
	input wire signed [BITS-1:0] number,
	input wire [STEPS*BITS-1:0] thresholds,
	output wire [OUT_BITS-1:0] code
);
	reg [OUT_BITS-1:0] count;
	integer s;
	always @* begin
		count = BASE[OUT_BITS-1:0];
		for (s = 0; s < STEPS; s = s + 1)
			if (number >= $signed(thresholds[s*BITS +: BITS]))
				count = count + 1'b1;
	end
	assign code = count;
endmodule
