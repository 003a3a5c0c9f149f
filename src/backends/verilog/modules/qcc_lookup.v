// Rows of a table of ROWS rows by index.
module qcc_lookup #(
	parameter ROWS = 2,
	parameter X_BITS = 1,
	parameter ROW_BITS = 1,
	parameter OUT_WIDTH = 1,
	parameter TABLE = "table.hex"
) (
	input wire clock,
	input wire reset,
	input wire [X_BITS-1:0] in_data,
	input wire in_valid,
	output wire in_ready,
	output wire [OUT_WIDTH-1:0] out_data,
	output wire out_valid,
	input wire out_ready
);
	reg valid;
	wire [ROW_BITS-1:0] row;
	qcc_code #(.NUMBER(X_BITS), .BITS(ROW_BITS), .KIND(0)) index (.number(in_data), .code(row));
	qcc_rom #(.WIDTH(OUT_WIDTH), .WORDS(ROWS), .BITS(ROW_BITS), .FILE(TABLE)) table_rom (
		.clock(clock), .read(in_valid && in_ready), .address(row), .data(out_data));
	assign in_ready = !valid || out_ready;
	assign out_valid = valid;
	always @(posedge clock)
		if (reset)
			valid <= 1'b0;
		else if (in_ready)
			valid <= in_valid;
endmodule
