from matgrad._core import __version__ as __version__
