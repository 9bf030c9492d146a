/* Made by web/build.mjs from web/src. Do not edit. */
"use strict";(()=>{})();
