"""Training loops in NumPy, each with a known answer: `python -m matgrad.examples.NAME [--small] [--out DIR]`.

bootstrap_regression   10,000 weighted regressions (diabetes) reach the least-squares coefficients
logistic_regression    500 resampled classifiers (breast cancer) reach the coefficients of scikit-learn
d_optimal_design       designs of experiments climb to the known points
gaussian_likelihood    5,000 precision matrices (diabetes) reach inv(S)
gp_hyperparameters     Gaussian processes (diabetes) reach the likelihood that scikit-learn finds
weight_quantisation    rounding the weights of a classifier (digits) with less loss than to the nearest
factor_models          100,000 small factor models fitted at once find the models that they were made from
torch_layer            a matgrad term as a layer of a PyTorch model (digits)
torch_data_parallel    gradients summed over the processes of `torchrun` (breast cancer)

Each prints its progress, saves a plot (NAME.png, where matplotlib is installed) and a summary (NAME.txt), and exits
with 0 if the known answer was reached, 1 if it was not, 2 if the example cannot run here.
"""
