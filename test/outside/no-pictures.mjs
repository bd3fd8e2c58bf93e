// Stands for the readers of pictures in the bundle of dcc-utils, which is asked about texts only.
export default {};
