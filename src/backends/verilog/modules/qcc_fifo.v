// A queue of DEPTH words. A word that is written can be read in the next cycle where DEPTH is 2, else two cycles later:
// then a memory with a registered output holds the words, which synthesis puts into block RAM where it is large.
module qcc_fifo #(
	parameter WIDTH = 8,
	parameter DEPTH = 2
) (
	input wire clock,
	input wire reset,
	input wire [WIDTH-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [WIDTH-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	generate
		if (DEPTH <= 2) begin : pair
			reg [WIDTH-1:0] first, second;
			reg [1:0] count;
			wire push = in_valid && in_ready, pop = out_valid && out_ready;
			assign in_ready = !count[1];
			assign out_valid = count != 2'd0;
			assign out_data = first;
			always @(posedge clock) begin
				if (reset)
					count <= 2'd0;
				else if (push != pop)
					count <= push ? count + 2'd1 : count - 2'd1;
				if (pop || count == 2'd0)
					first <= count[1] ? second : in_data;
				if (push)
					second <= in_data;
			end
		end else begin : deep
			localparam BITS = $clog2(DEPTH);
			localparam LAST = DEPTH - 1;
			reg [WIDTH-1:0] memory [0:DEPTH-1];
			reg [WIDTH-1:0] head;
			reg [BITS-1:0] to, from;
			reg [BITS:0] count; // in the memory
			reg full, some, valid;
			wire push = in_valid && in_ready, fetch = some && (!valid || out_ready);
			assign in_ready = !full;
			assign out_valid = valid;
			assign out_data = head;
			wire [BITS:0] next = count + {{BITS{1'b0}}, push} - {{BITS{1'b0}}, fetch};
			always @(posedge clock) begin
				if (push)
					memory[to] <= in_data;
				if (fetch)
					head <= memory[from];
				if (reset) begin
					to <= {BITS{1'b0}};
					from <= {BITS{1'b0}};
					count <= {(BITS+1){1'b0}};
					full <= 1'b0;
					some <= 1'b0;
					valid <= 1'b0;
				end else begin
					if (push)
						to <= to == LAST[BITS-1:0] ? {BITS{1'b0}} : to + 1'b1;
					if (fetch)
						from <= from == LAST[BITS-1:0] ? {BITS{1'b0}} : from + 1'b1;
					count <= next;
					full <= next == DEPTH[BITS:0];
					some <= next != {(BITS+1){1'b0}};
					valid <= fetch || (valid && !out_ready);
				end
			end
		end
	endgenerate
endmodule
