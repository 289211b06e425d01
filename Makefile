.PHONY: run test lint fmt demo-reset
run test lint fmt demo-reset:
	@python3 manage.py $@
