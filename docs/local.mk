# The guide, its pictures, and the reference and the manual page, which `make reference` makes from the tables in the code.
EXTRA_DIST += README.md CHANGELOG.md HACKING.md LICENSE SECURITY.md \
	docs/eight_bits.md \
	docs/exactness.md \
	docs/guide.md \
	docs/hardware.md \
	docs/names.md \
	docs/page.md \
	docs/python.md \
	docs/reference.md \
	docs/report.md \
	docs/report.schema.json \
	docs/robustness.md \
	docs/training.md \
	docs/pictures/bench_c.svg \
	docs/pictures/bench_qcc.svg \
	docs/pictures/cnn_after.svg \
	docs/pictures/cnn_before.svg \
	docs/pictures/cnn_converted.svg \
	docs/pictures/mlp_after.svg \
	docs/pictures/mlp_before.svg \
	docs/pictures/mlp_folded.svg \
	docs/pictures/training_luts.svg \
	scripts/make_manual \
	scripts/make_pictures \
	scripts/make_reference \
	scripts/static \
	scripts/plot_training \
	scripts/training_peers

.PHONY: pictures reference
reference: qcc$(EXEEXT)
	'$(srcdir)'/scripts/make_reference ./qcc$(EXEEXT) '$(srcdir)'/docs/reference.md
	'$(srcdir)'/scripts/make_manual ./qcc$(EXEEXT) '$(srcdir)'/docs/qcc.1
pictures: qcc$(EXEEXT)
	'$(srcdir)'/scripts/make_pictures '$(abs_builddir)'/qcc$(EXEEXT)
